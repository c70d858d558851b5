import type { ProcessKey } from '../../../src/model/event.ts';
import type { McpCall } from '../../../src/model/mcp-call.ts';
import { type Watched, watch } from '../watched.ts';

export interface WatchedMcp extends Watched {
  readonly mcp: () => McpCall[];
  /** Calls that ended, by method. */
  readonly ended_mcp: () => McpCall[];
  readonly pipe: (id: bigint, writer: ProcessKey | undefined, reader: ProcessKey | undefined) => WatchedPipe;
}

export interface WatchedPipe {
  /** A message, a line each; or a text as it is. `lost_bytes`: what follows it is missing. */
  readonly say: (message: object | string, lost_bytes?: number) => void;
  readonly close: () => void;
}

export const CLIENT: ProcessKey = '7:70';
export const SERVER: ProcessKey = '9:90';

export function watchMcp(options: Record<string, unknown> = {}): WatchedMcp {
  const watched = watch(options);
  const mcp = () => watched.seen.filter((item) => item.kind === 'mcp_call');
  const pidOf = (process: ProcessKey) => Number(process.split(':')[0]);
  return {
    ...watched,
    mcp,
    ended_mcp: () => mcp().filter(({ phase }) => phase === 'end'),
    pipe(stream_id, writer, reader) {
      let offset = 0n;
      let is_read = false;
      return {
        say(message, lost_bytes = 0) {
          const data = Buffer.from(typeof message === 'string' ? message : `${JSON.stringify(message)}\n`);
          const direction = writer === undefined ? 'read' : 'write';
          const process = writer ?? reader;
          const common = { kind: 'plain_data', channel: 'pipe', stream_id, direction, process } as const;
          watched.event({ ...common, pid: pidOf(process as ProcessKey), offset, data, lost_bytes });
          offset += BigInt(data.length + lost_bytes);
          if (is_read || writer === undefined || reader === undefined) return;
          is_read = true;
          watched.event({ kind: 'pipe_end', stream_id, state: 'reader', process: reader, pid: pidOf(reader) });
        },
        close: () => watched.event({ kind: 'pipe_end', stream_id, state: 'closed', process: writer ?? reader }),
      };
    },
  };
}

export const request = (id: string | number, method: string, params?: object) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params && { params }),
});
export const notification = (method: string, params?: object) => ({
  jsonrpc: '2.0',
  method,
  ...(params && { params }),
});
export const response = (id: string | number, result: unknown = {}) => ({ jsonrpc: '2.0', id, result });
export const failure = (id: string | number, code: number, message: string) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

export const INITIALIZE = request(0, 'initialize', {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'demo', version: '1' },
});
export const INITIALIZED = response(0, {
  protocolVersion: '2025-03-26',
  capabilities: {},
  serverInfo: { name: 'files', version: '2' },
});

/** A client and a server that have introduced themselves, by pipes. */
export function connected(options: Record<string, unknown> = {}) {
  const watched = watchMcp(options);
  const to_server = watched.pipe(1n, CLIENT, SERVER);
  const to_client = watched.pipe(2n, SERVER, CLIENT);
  to_server.say(INITIALIZE);
  to_client.say(INITIALIZED);
  to_server.say(notification('notifications/initialized'));
  return { ...watched, to_server, to_client };
}
