import type { Counters } from '../../health/counters.ts';
import type { Event } from '../../model/event.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { ExchangeListener } from '../../protocol/http-exchange.ts';
import type { HttpRequestHead } from '../../providers/provider.ts';
import type { Arrival } from '../arrival.ts';
import type { BodyBudget } from '../body-collector.ts';
import { createMcpAcceptors, type McpClientEnd } from './mcp-acceptors.ts';
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
  /**
   * Every event, before the calls of models hear of it: a dialogue ends with its process, not with each of its connections.
   * True: it was of a pipe, which concerns nobody else.
   */
  push(event: Event): boolean;
  /** Stops waiting for bytes that did not come until `until_ns`. */
  settle(until_ns: bigint): void;
  end(at_ns: bigint): void;
}

export function createMcp(options: McpOptions): Mcp {
  const { max_connections } = options;
  const stdio = createMcpStdio({ ...options, max_pipes: max_connections });
  const http = createMcpHttp({ ...options, max_sessions: max_connections });
  const acceptors = createMcpAcceptors(max_connections, options.counters);

  return {
    request({ head, start, process, pid, origin, closeCause }) {
      /** Its connection may be closed when the call ends. */
      let client_end: McpClientEnd | undefined;
      let server: McpParty | undefined;
      const channel = () => {
        const { socket_id, server_address, server_port } = origin();
        client_end ??= acceptors.clientOf(socket_id);
        if (client_end !== undefined) server ??= acceptors.serverOf(client_end);
        const transport = client_end?.transport === 'unix' ? ('unix' as const) : ('tcp' as const);
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
          if (acceptors.opened(event)) http.refresh();
          return false;
        case 'net_io':
          acceptors.moved(event);
          return false;
        case 'process_exit':
          stdio.processEnd(event);
          http.processEnd(event);
          acceptors.processEnd(event);
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
