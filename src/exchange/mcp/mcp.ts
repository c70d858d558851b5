import type { Counters } from '../../health/counters.ts';
import { BoundedMap } from '../../model/bounded-map.ts';
import type { Event, NetOpenEvent, SocketAddress } from '../../model/event.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { ExchangeListener } from '../../protocol/http-exchange.ts';
import type { HttpRequestHead } from '../../providers/provider.ts';
import type { Arrival } from '../arrival.ts';
import type { BodyBudget } from '../body-collector.ts';
import type { McpParty } from './mcp-dialogue.ts';
import { createMcpHttp } from './mcp-http.ts';
import { createMcpStdio } from './mcp-stdio.ts';

export interface McpOptions {
  readonly counters: Counters;
  readonly budget: BodyBudget;
  readonly max_connections: number;
  emit(call: McpCall): void;
  /** Calls back a little later. */
  later(callback: () => void): void;
}

/** A request over HTTP that is none of a model's. */
export interface OtherRequest extends McpParty {
  readonly head: HttpRequestHead;
  readonly start: Arrival;
  /** Asked anew: it may become known later. */
  origin(): Pick<McpCall, 'socket_id' | 'server_address' | 'server_port'>;
  /** What ended its connection, in words; undefined: we only stopped following it. */
  closeCause(): string | undefined;
}

/** Follows the Model Context Protocol on every transport. */
export interface Mcp {
  request(request: OtherRequest): ExchangeListener<Arrival> | undefined;
  /** Every event, before it is passed on. True: it was of a pipe, which concerns nobody else. */
  push(event: Event): boolean;
  /** Stops waiting for bytes that did not come until `until_ns`. */
  settle(until_ns: bigint): void;
  end(at_ns: bigint): void;
}

export function createMcp(options: McpOptions): Mcp {
  const { max_connections } = options;
  const stdio = createMcpStdio({ ...options, max_pipes: max_connections });
  const http = createMcpHttp({ ...options, max_sessions: max_connections });
  /** Client ends of connections by socket, and the processes that accepted them by the client's end. */
  const client_ends = new BoundedMap<bigint, Pick<NetOpenEvent, 'local' | 'transport'>>(2 * max_connections);
  const acceptors = new BoundedMap<string, McpParty>(2 * max_connections);
  /** Of calls whose server is not known. */
  const awaited_ends = new BoundedMap<string, boolean>(max_connections);

  const opened = (event: NetOpenEvent): void => {
    const { operation, socket_id, local, peer, transport, process, pid } = event;
    if (operation === 'connect' && socket_id !== 0n) client_ends.set(socket_id, { local, transport });
    if (operation !== 'accept' || peer.port === 0) return;
    const end = endOf(peer);
    acceptors.set(end, { process, pid });
    if (awaited_ends.get(end) !== true) return;
    awaited_ends.delete(end);
    http.refresh();
  };

  return {
    request({ head, start, process, pid, origin, closeCause }) {
      const channel = () => {
        const { socket_id, server_address, server_port } = origin();
        const end = client_ends.get(socket_id);
        const server = end === undefined ? undefined : acceptors.get(endOf(end.local));
        if (end !== undefined && server === undefined) awaited_ends.set(endOf(end.local), true);
        const transport = end?.transport === 'unix' ? ('unix' as const) : ('tcp' as const);
        return { transport, socket_id, server_address, server_port, client: { process, pid }, server };
      };
      return http.request({ head, start, process, channel, closeCause });
    },
    push(event) {
      switch (event.kind) {
        case 'plain_data':
          if (event.channel === 'socket') return false;
          stdio.data(event);
          return true;
        case 'pipe_end':
          stdio.pipeEnd(event);
          return true;
        case 'net_open':
          opened(event);
          return false;
        case 'process_exit':
          stdio.processEnd(event);
          http.processEnd(event);
          return false;
        default:
          return false;
      }
    },
    settle: (until_ns) => stdio.settle(until_ns),
    end(at_ns) {
      stdio.end(at_ns);
      http.end(at_ns);
    },
  };
}

function endOf({ address, port }: SocketAddress): string {
  return `${address.replace(/^::ffff:/, '')}:${port}`;
}
