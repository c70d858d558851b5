import type { Counters } from '../../health/counters.ts';
import { BoundedMap } from '../../model/bounded-map.ts';
import type { EventBase, ProcessKey } from '../../model/event.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { ExchangeListener } from '../../protocol/http-exchange.ts';
import type { HttpRequestHead } from '../../providers/provider.ts';
import type { Arrival } from '../arrival.ts';
import type { BodyBudget } from '../body-collector.ts';
import { createMcpDialogue, type McpChannel, type McpDialogue } from './mcp-dialogue.ts';
import { createMcpHttpExchange } from './mcp-http-exchange.ts';

export interface McpHttpOptions {
  readonly counters: Counters;
  readonly budget: BodyBudget;
  readonly max_sessions: number;
  emit(call: McpCall): void;
  /** Calls back a little later. */
  later(callback: () => void): void;
}

/** The exchange of a request that its head makes a candidate for MCP. */
export interface McpHttpRequest {
  readonly head: HttpRequestHead;
  readonly start: Arrival;
  readonly process: ProcessKey;
  /** Asked anew: the socket, and who serves it, may become known later. */
  channel(): McpChannel;
  /** What ended its connection, in words; undefined: we only stopped following it. */
  closeCause(): string | undefined;
}

/** Follows MCP over HTTP: streamable HTTP (2025-03-26 and later), and HTTP with SSE (2024-11-05). */
export interface McpHttp {
  /** undefined: not MCP, as far as the head tells. */
  request(request: McpHttpRequest): ExchangeListener<Arrival> | undefined;
  /** A process accepted a connection: it may be what serves an open call. */
  refresh(): void;
  processEnd(event: EventBase): void;
  end(at_ns: bigint): void;
}

/** The dialogues that a client has, by what names them on the wire. */
export interface McpSessions {
  find(target: string, session_id: string | undefined): McpDialogue | undefined;
  begin(target: string, answers_on_stream?: boolean): McpDialogue;
  /** Something is asked in it: it is followed until it ends, or is silent longest of too many. */
  follow(dialogue: McpDialogue): void;
  /** The server gave it an id, or (older transport) a place to post to. */
  name(dialogue: McpDialogue, target: string, session_id: string | undefined): void;
}

export function createMcpHttp(options: McpHttpOptions): McpHttp {
  const { counters, max_sessions } = options;
  let last_ns = 0n;
  let dialogue_count = 0;
  let exchange_count = 0;
  /** The one that was silent longest first. */
  const owners = new Map<McpDialogue, ProcessKey>();
  const by_name = new BoundedMap<string, McpDialogue>(2 * max_sessions, (_, dialogue) => {
    if (owners.has(dialogue)) counters.lost('exchange.mcp_session_names_evicted');
  });
  const evict = (): void => {
    const [oldest] = owners.keys();
    if (owners.size <= max_sessions || oldest === undefined) return;
    owners.delete(oldest);
    if (oldest.is_waiting) counters.lost('exchange.mcp_sessions_evicted');
    oldest.end(last_ns, undefined);
  };

  const sessionsOf = (process: ProcessKey, host: string): McpSessions => {
    const keyOf = (target: string, session_id: string | undefined) =>
      JSON.stringify(session_id === undefined ? [process, host, target] : [process, host, '', session_id]);
    const sessions: McpSessions = {
      find: (target, session_id) => by_name.get(keyOf(target, session_id)),
      begin(target, answers_on_stream = false) {
        const dialogue_id = `${process}/mcp-http/${++dialogue_count}`;
        const dialogue = createMcpDialogue({ dialogue_id, counters, answers_on_stream, emit: options.emit });
        sessions.follow(dialogue);
        sessions.name(dialogue, target, undefined);
        return dialogue;
      },
      follow(dialogue) {
        owners.delete(dialogue);
        owners.set(dialogue, process);
        evict();
      },
      name: (dialogue, target, session_id) => by_name.set(keyOf(target, session_id), dialogue),
    };
    return sessions;
  };

  return {
    request(request) {
      const { head, start, process, channel } = request;
      last_ns = start.ktime_ns;
      if (!isCandidate(head)) return undefined;
      const sessions = sessionsOf(process, head.host ?? String(channel().socket_id));
      return createMcpHttpExchange({ ...options, ...request, sessions, lane: String(++exchange_count) });
    },
    refresh() {
      for (const dialogue of owners.keys()) dialogue.refresh();
    },
    processEnd({ process, ktime_ns }) {
      for (const [dialogue, owner] of [...owners]) {
        if (owner !== process) continue;
        dialogue.end(ktime_ns, 'the process ended');
        owners.delete(dialogue);
      }
    },
    end(at_ns) {
      for (const dialogue of owners.keys()) dialogue.end(at_ns, 'watching ended');
    },
  };
}

/** Messages are posted as JSON; streams of the server's messages are asked for with GET. */
function isCandidate({ method, headers }: HttpRequestHead): boolean {
  if (headers.has('mcp-session-id') || headers.has('mcp-protocol-version')) return true;
  if (method === 'GET') return headers.get('accept')?.includes('text/event-stream') === true;
  return method === 'POST' && /^application\/json\b/i.test(headers.get('content-type') ?? '');
}
