import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { Endpoint } from './endpoint.ts';
import { toReadableSpan } from './readable-span.ts';
import { httpFailure, type SendFailure } from './send-failure.ts';
import type { ClientOptions, TraceClient } from './trace-client.ts';

type Config = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

/** An exporter with its own connections, which can be taken away from it. */
interface Line {
  readonly exporter: OTLPTraceExporter;
  cut(): void;
}

/**
 * OTel's HTTP exporter tries again by itself until its timeout is over, and says nothing until then. That is right for a busy
 * server; one that cannot be connected to is told of at once, and that exporter is cut off.
 */
export function createHttpClient(endpoint: Endpoint, options: ClientOptions): TraceClient {
  let line: Promise<Line> | undefined;
  let closed = false;
  let onBroken = (_error: Error) => {};

  async function open(): Promise<Line> {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    const { agent, cut } = createAgent(endpoint, (error) => onBroken(error));
    const exporter = new OTLPTraceExporter({
      url: endpoint.url,
      headers: { ...options.headers },
      compression: options.compression as Config['compression'],
      timeoutMillis: options.timeout_ms,
      httpAgentOptions: () => agent,
    });
    return { exporter, cut };
  }

  return {
    async send(spans) {
      if (closed) return { reason: 'closed', retryable: false };
      try {
        line ??= open();
        const { exporter, cut } = await line;
        return await new Promise<SendFailure | undefined>((resolve) => {
          onBroken = (error) => {
            cut();
            line = undefined;
            resolve(httpFailure(error));
          };
          exporter.export(
            spans.map((span) => toReadableSpan(span, options.include_content)),
            ({ code, error }) => resolve(code === 0 ? undefined : httpFailure(error)),
          );
        });
      } catch (error) {
        return { reason: `it cannot be sent to: ${(error as Error).message}`, retryable: false };
      }
    },
    close() {
      closed = true;
      line?.then(({ cut }) => cut()).catch(() => {});
    },
  };
}

function createAgent(endpoint: Endpoint, onBroken: (error: Error) => void): { agent: http.Agent; cut: () => void } {
  const { ca, cert, key, verify } = endpoint;
  const agent = endpoint.secure
    ? new https.Agent({ keepAlive: true, ca, cert, key, rejectUnauthorized: verify })
    : new http.Agent({ keepAlive: true });
  const connect = agent.createConnection.bind(agent);
  let is_cut = false;
  agent.createConnection = (options, callback) => {
    if (is_cut) {
      callback?.(new Error('cut off'), undefined as unknown as Duplex);
      return undefined;
    }
    const socket = connect(options, callback);
    if (socket) {
      socket.once('error', onBroken);
      socket.once(endpoint.secure ? 'secureConnect' : 'connect', () => socket.off('error', onBroken));
    }
    return socket;
  };
  return {
    agent,
    cut() {
      is_cut = true;
      agent.destroy();
    },
  };
}
