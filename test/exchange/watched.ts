import { createExchange } from '../../src/exchange/exchange.ts';
import { exchangeOptionsSchema } from '../../src/exchange/options.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { Event, ProcessKey, TlsDataEvent } from '../../src/model/event.ts';
import type { LlmCall } from '../../src/model/llm-call.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { WebSocketApi } from '../../src/providers/websocket-api.ts';
import type { Stage } from '../../src/stage.ts';
import { FAKE_PROVIDER } from './fake-provider.ts';

export const PROCESS: ProcessKey = '7:70';

/** Kernel time: each event is 10 ns after the one before it, and each library call took 5 ns. */
export interface Watched {
  readonly stage: Stage<Event>;
  readonly seen: (Event | LlmCall | McpCall)[];
  readonly counters: ReturnType<typeof createCounters>;
  readonly calls: () => LlmCall[];
  readonly ended: () => LlmCall[];
  /** The call that ended, of which there is one. */
  readonly only: () => LlmCall;
  /** The text of the answer of a call. */
  readonly answer: (call: LlmCall) => string | undefined;
  readonly connection: (id: bigint, options?: { socket_id?: bigint; process?: ProcessKey }) => WatchedConnection;
  /** A socket without TLS. */
  readonly socket: (socket_id: bigint) => Omit<WatchedConnection, 'miss' | 'close'>;
  /** Any other event of the process. */
  readonly event: (fields: { kind: Event['kind'] } & Record<string, unknown>) => void;
  readonly now: () => bigint;
}

export interface WatchedConnection {
  readonly write: (data: string | Uint8Array, lost_bytes?: number) => void;
  readonly read: (data: string | Uint8Array, lost_bytes?: number) => void;
  /** Bytes pass that are not captured. */
  readonly miss: (direction: TlsDataEvent['direction'], bytes: number) => void;
  readonly close: () => void;
}

/** An exchange stage, and a process whose TLS connections it sees. */
export function watch(
  options: Record<string, unknown> = {},
  providers: readonly Provider[] = [FAKE_PROVIDER],
  webSocketApis: readonly WebSocketApi[] = [],
): Watched {
  const seen: (Event | LlmCall | McpCall)[] = [];
  const counters = createCounters();
  const stage = createExchange(
    { ...exchangeOptionsSchema.parse(options), counters, providers, webSocketApis },
    { push: (item) => void seen.push(item) },
  );
  let now_ns = 1000n;
  const push = (fields: Record<string, unknown>): void => {
    now_ns += 10n;
    stage.push({ ktime_ns: now_ns, process: PROCESS, pid: 7, tid: 8, ...fields } as unknown as Event);
  };
  const calls = () => seen.filter((item) => item.kind === 'llm_call');
  const ended = () => calls().filter(({ phase }) => phase === 'end');
  return {
    stage,
    seen,
    counters,
    calls,
    ended,
    only() {
      const [call, ...more] = ended();
      if (call === undefined || more.length > 0) throw new Error(`${more.length + (call ? 1 : 0)} calls ended, not 1`);
      return call;
    },
    answer(call) {
      const part = call.response?.messages[0]?.parts[0];
      return part?.type === 'text' ? part.content : undefined;
    },
    connection(connection, { socket_id = 0n, process = PROCESS } = {}) {
      const offsets = { write: 0n, read: 0n };
      const move = (direction: TlsDataEvent['direction'], data: string | Uint8Array, lost_bytes = 0): void => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        const offset = offsets[direction];
        offsets[direction] += BigInt(bytes.length + lost_bytes);
        const call_start_ns = now_ns + 5n;
        const fields = { connection, socket_id, direction, offset, data: bytes, lost_bytes, call_start_ns, process };
        push({ kind: 'tls_data', ...fields });
      };
      return {
        write: (data, lost_bytes) => move('write', data, lost_bytes),
        read: (data, lost_bytes) => move('read', data, lost_bytes),
        miss(direction, bytes) {
          offsets[direction] += BigInt(bytes);
        },
        close: () => push({ kind: 'tls_close', connection, process }),
      };
    },
    socket(stream_id) {
      const offsets = { write: 0n, read: 0n };
      const move = (direction: TlsDataEvent['direction'], data: string | Uint8Array, lost_bytes = 0): void => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        const offset = offsets[direction];
        offsets[direction] += BigInt(bytes.length + lost_bytes);
        push({ kind: 'plain_data', channel: 'socket', stream_id, direction, offset, data: bytes, lost_bytes });
      };
      return {
        write: (data, lost_bytes) => move('write', data, lost_bytes),
        read: (data, lost_bytes) => move('read', data, lost_bytes),
      };
    },
    event: push,
    now: () => now_ns,
  };
}

/** A request to the fake provider, whole. */
export function chatRequest(
  body: Record<string, unknown> = {},
  headers: readonly string[] = [],
  target = '/v1/chat',
): Buffer {
  const json = Buffer.from(JSON.stringify({ model: 'm', ...body }));
  const head = [`POST ${target} HTTP/1.1`, 'Host: llm.example:8443', ...headers, `Content-Length: ${json.length}`];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), json]);
}

export function jsonResponse(body: unknown, status = '200 OK'): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), json]);
}

export const STREAM_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** One chunk that holds one event. */
export function eventChunk(data: unknown): string {
  const event = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
  return `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`;
}

export const LAST_CHUNK = '0\r\n\r\n';
