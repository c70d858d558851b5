import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import type { Endpoint } from './endpoint.ts';
import { toReadableSpan } from './readable-span.ts';
import { grpcFailure, type SendFailure } from './send-failure.ts';
import type { ClientOptions, TraceClient } from './trace-client.ts';

type Config = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

export function createGrpcClient(endpoint: Endpoint, options: ClientOptions): TraceClient {
  let opened: Promise<OTLPTraceExporter> | undefined;

  /** gRPC takes long to load: not before there is something to send. */
  async function open(): Promise<OTLPTraceExporter> {
    const [{ OTLPTraceExporter }, { credentials, Metadata }] = await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-grpc'),
      import('@grpc/grpc-js'),
    ]);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.headers)) metadata.set(name, value);
    const { ca, key, cert, verify } = endpoint;
    return new OTLPTraceExporter({
      url: endpoint.url,
      metadata,
      compression: options.compression as Config['compression'],
      timeoutMillis: options.timeout_ms,
      credentials: endpoint.secure
        ? credentials.createSsl(ca, key, cert, { rejectUnauthorized: verify })
        : credentials.createInsecure(),
    });
  }

  return {
    async send(spans) {
      try {
        opened ??= open();
        const exporter = await opened;
        return await new Promise<SendFailure | undefined>((resolve) => {
          exporter.export(
            spans.map((span) => toReadableSpan(span, options.include_content)),
            ({ code, error }) => resolve(code === 0 ? undefined : grpcFailure(error)),
          );
        });
      } catch (error) {
        return { reason: `it cannot be sent to: ${(error as Error).message}`, retryable: false };
      }
    },
    close() {
      opened?.then((exporter) => exporter.shutdown()).catch(() => {});
    },
  };
}
