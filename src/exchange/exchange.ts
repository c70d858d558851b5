import type { Counters } from '../health/counters.ts';
import type { Event, EventBase, ProcessKey, TlsDataEvent, UnreadTrafficEvent } from '../model/event.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { ExchangeListener, RequestHead } from '../protocol/http-exchange.ts';
import type { Provider } from '../providers/provider.ts';
import type { Stage } from '../stage.ts';
import type { Arrival } from './arrival.ts';
import type { BodyBudget } from './body-collector.ts';
import { type Connection, createConnection } from './connection.ts';
import { guarded } from './guarded-provider.ts';
import { createLlmExchange } from './llm-exchange.ts';
import { netName } from './net-names.ts';
import type { ExchangeOptions } from './options.ts';
import { splitHost, withoutCredentials } from './request-head.ts';
import { createSocketNames } from './socket-names.ts';
import { createUnreadTls } from './unread-tls.ts';

export interface ExchangeStageOptions extends ExchangeOptions {
  readonly counters: Counters;
  /** The first that says a request is its own reads it. */
  readonly providers: readonly Provider[];
  /** Hears of each connection that cannot be read. */
  readonly onUnread?: ((event: UnreadTrafficEvent) => void) | undefined;
}

/** How long missing bytes, and bytes after the end of a socket, are waited for where other traffic shows nothing of them. */
const MAX_WAIT_NS = 200_000_000n;

interface Followed {
  readonly process: ProcessKey;
  readonly id: bigint;
  readonly connection: Connection;
}

/**
 * Turns the plaintext of TLS connections into LLM calls, each told when its request is complete and when it ended, and
 * payloads into names. Every other event is passed on, in order.
 */
export function createExchange(options: ExchangeStageOptions, next: Stage<Event | LlmCall>): Stage<Event> {
  const { counters, max_connections } = options;
  const providers = options.providers.map((provider) => guarded(provider, counters));
  const budget: BodyBudget = { ...options, buffered_bytes: 0 };
  const sockets = createSocketNames(2 * max_connections);
  const unreadTls = createUnreadTls();
  const processes = new Map<ProcessKey, Map<bigint, Followed>>();
  /** All of them, the one that was silent longest first. */
  const by_age = new Set<Followed>();
  let call_count = 0;
  let last_ns = 0n;
  let waiting: (() => void)[] = [];

  const tellUnread = (event: UnreadTrafficEvent): void => {
    counters.counted(`exchange.unread_${event.protocol}`);
    options.onUnread?.(event);
    next.push(event);
  };
  const follow = (event: TlsDataEvent): Followed => {
    const { process, pid, connection: id } = event;
    const connection = createConnection({
      process,
      pid,
      counters,
      request: (head, start, of) => request(head, start, of, event),
      unread: tellUnread,
    });
    const followed = { process, id, connection };
    const siblings = processes.get(process) ?? new Map<bigint, Followed>();
    processes.set(process, siblings.set(id, followed));
    return followed;
  };
  const request = (
    full_head: RequestHead,
    start: Arrival,
    connection: Connection,
    { process, pid, connection: id }: TlsDataEvent,
  ): ExchangeListener<Arrival> | undefined => {
    const head = withoutCredentials(full_head);
    const provider = providers.find((candidate) => candidate.matches(head));
    if (provider === undefined) return undefined;
    const call_id = `${process}/${id.toString(16)}/${++call_count}`;
    const host = head.host === undefined ? undefined : splitHost(head.host);
    return createLlmExchange({
      provider,
      head,
      is_partial_head: full_head.is_partial === true,
      start,
      budget,
      counters,
      origin: () => {
        const { socket_id } = connection;
        const { address, port } = host ?? sockets.peer(socket_id);
        return { call_id, process, pid, tid: start.tid, socket_id, server_address: address, server_port: port };
      },
      closeCause: () => connection.close_cause,
      emit: (call) => next.push(call),
      later: (callback) => waiting.push(callback),
    });
  };
  const forget = (followed: Followed, at: Arrival, cause: string | undefined): void => {
    const siblings = processes.get(followed.process);
    siblings?.delete(followed.id);
    if (siblings?.size === 0) processes.delete(followed.process);
    by_age.delete(followed);
    followed.connection.close(at, cause);
  };
  const forgetProcess = (event: EventBase, cause: string): void => {
    for (const followed of [...(processes.get(event.process)?.values() ?? [])])
      forget(followed, arrivalOf(event), cause);
  };
  const takeTlsData = (event: TlsDataEvent): void => {
    const followed = processes.get(event.process)?.get(event.connection) ?? follow(event);
    by_age.delete(followed);
    by_age.add(followed);
    followed.connection.push(event);
    if (by_age.size <= max_connections) return;
    const [oldest] = by_age;
    counters.lost('exchange.connections_evicted');
    if (oldest !== undefined) forget(oldest, arrivalOf(event), undefined);
  };
  const closeSocket = (event: EventBase, socket_id: bigint): void => {
    for (const { connection } of processes.get(event.process)?.values() ?? []) {
      if (connection.socket_id === socket_id) connection.socketClosed(arrivalOf(event));
    }
  };

  return {
    push(event) {
      if (event.ktime_ns > last_ns) last_ns = event.ktime_ns;
      switch (event.kind) {
        case 'tls_data':
          unreadTls.read(event.process);
          takeTlsData(event);
          return;
        case 'tls_close': {
          const followed = processes.get(event.process)?.get(event.connection);
          if (followed !== undefined) forget(followed, arrivalOf(event), 'the TLS connection was closed');
          return;
        }
        case 'net_payload': {
          if (event.protocol === 'tls_client_hello') unreadTls.hello(event);
          const name = netName(event);
          if (name === undefined) counters.counted('exchange.unread_payload');
          else {
            if (name.source === 'sni') sockets.named(name.socket_id, name.name);
            next.push(name);
          }
          return;
        }
        case 'net_open':
          sockets.opened(event);
          break;
        case 'net_io': {
          const unread = unreadTls.moved(event);
          if (unread !== undefined) tellUnread(unread);
          if (event.closed) closeSocket(event, event.socket_id);
          break;
        }
        case 'process_exit':
          forgetProcess(event, 'the process ended');
          unreadTls.forget(event.process);
          break;
        case 'process_exec':
          if (event.origin !== 'exec') break;
          forgetProcess(event, 'the process became another program');
          unreadTls.forget(event.process);
          break;
      }
      next.push(event);
    },
    tick(now_ns) {
      const due = waiting;
      waiting = [];
      for (const callback of due) callback();
      for (const { connection } of by_age) connection.settle(now_ns - MAX_WAIT_NS);
      next.tick?.(now_ns);
    },
    close() {
      const at = { ktime_ns: last_ns, call_start_ns: last_ns, tid: 0 };
      for (const followed of [...by_age]) forget(followed, at, 'watching ended');
      return next.close?.();
    },
  };
}

function arrivalOf({ ktime_ns, tid }: EventBase): Arrival {
  return { ktime_ns, call_start_ns: ktime_ns, tid };
}
