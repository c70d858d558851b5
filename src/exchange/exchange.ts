import type { Counters } from '../health/counters.ts';
import type { Event, EventBase, ProcessKey, TlsDataEvent, UnreadTrafficEvent } from '../model/event.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { McpCall } from '../model/mcp-call.ts';
import type { ExchangeListener, FramedConnection, RequestHead, ResponseHead } from '../protocol/http-exchange.ts';
import { isWebSocket } from '../protocol/websocket.ts';
import type { HttpRequestHead, Provider } from '../providers/provider.ts';
import type { WebSocketApi } from '../providers/websocket-api.ts';
import type { Stage } from '../stage.ts';
import type { Arrival } from './arrival.ts';
import type { BodyBudget } from './body-collector.ts';
import { type Connection, createConnection, SOCKET_CLOSED } from './connection.ts';
import { isPlainConnection, plainConnection } from './connection-key.ts';
import { guarded } from './guarded-provider.ts';
import { createHalfConnections } from './half-connections.ts';
import { createHelloPieces } from './hello-pieces.ts';
import { type CallOrigin, createLlmExchange } from './llm-exchange.ts';
import { createMcp } from './mcp/mcp.ts';
import { netName } from './net-names.ts';
import type { ExchangeOptions } from './options.ts';
import { createOrphanExchange } from './orphan-exchange.ts';
import { plaintextOf } from './plain-socket.ts';
import { HTTP_PORT, HTTPS_PORT, splitHost, withoutCredentials } from './request-head.ts';
import { createSocketNames } from './socket-names.ts';
import { createUnreadTls } from './unread-tls.ts';
import { createWebSocketCalls } from './websocket-calls.ts';

export interface ExchangeStageOptions extends ExchangeOptions {
  readonly counters: Counters;
  /** The first that says a request is its own reads it. */
  readonly providers: readonly Provider[];
  readonly webSocketApis?: readonly WebSocketApi[];
  /** Hears of each connection that cannot be read. */
  readonly onUnread?: ((event: UnreadTrafficEvent) => void) | undefined;
}

/** How long missing bytes, and bytes after the end of a socket, are waited for where other traffic shows nothing of them. */
const MAX_WAIT_NS = 200_000_000n;

/** Of a request that was not seen. */
const NO_HOST = { host: undefined };

interface Followed {
  readonly process: ProcessKey;
  readonly id: bigint;
  readonly connection: Connection;
}

type CallServer = Pick<CallOrigin, 'socket_id' | 'server_address' | 'server_port'>;

/**
 * Turns the plaintext of TLS connections, and of sockets without TLS, into LLM calls, each told when its request is complete
 * and when it ended, the same and pipes into MCP calls, and payloads into names. Every other event is passed on, in order.
 */
export function createExchange(options: ExchangeStageOptions, next: Stage<Event | LlmCall | McpCall>): Stage<Event> {
  const { counters, max_connections } = options;
  const providers = options.providers.map((provider) => guarded(provider, counters));
  const budget: BodyBudget = { ...options, buffered_bytes: 0 };
  const sockets = createSocketNames(2 * max_connections);
  const unreadTls = createUnreadTls();
  const hellos = createHelloPieces();
  const processes = new Map<ProcessKey, Map<bigint, Followed>>();
  /** All of them, the one that was silent longest first. */
  const by_age = new Set<Followed>();
  let call_count = 0;
  let last_ns = 0n;
  let waiting: (() => void)[] = [];
  const emit = (call: LlmCall | McpCall): void => next.push(call);
  const later = (callback: () => void): unknown => waiting.push(callback);
  const mcp = createMcp({ counters, budget, max_connections, emit, later });

  const tellUnread = (event: UnreadTrafficEvent, is_plain = false): void => {
    counters.counted(`exchange.unread_${is_plain ? 'plain_' : ''}${event.protocol}`);
    // Whatever else goes through sockets without TLS is no concern.
    if (is_plain && event.protocol !== 'websocket') return;
    options.onUnread?.(event);
    next.push(event);
  };
  const follow = (event: TlsDataEvent): Followed => {
    const { process, pid, connection: id } = event;
    const connection = createConnection({
      process,
      pid,
      counters,
      is_plain: isPlainConnection(id),
      max_streams: options.max_streams,
      request: (head, start, of) => request(head, start, of, event),
      orphan: (start, of) =>
        createOrphanExchange({
          start,
          budget,
          counters,
          origin: originOf(NO_HOST, start, of, event),
          closeCause: () => of.close_cause,
          emit,
          later,
        }),
      upgrade: (head, response, of, unread) => upgrade(head, response, of, unread, event),
      unread: (unread) => tellUnread(unread, isPlainConnection(id)),
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
    event: TlsDataEvent,
  ): ExchangeListener<Arrival> | undefined => {
    const head = withoutCredentials(full_head);
    const provider = providers.find((candidate) => candidate.matches(head));
    const { process, pid } = event;
    const closeCause = () => connection.close_cause;
    const toServer = () =>
      mcp.request({ head, start, process, pid, origin: serverOf(head, connection, event), closeCause });
    if (provider === undefined) return toServer();
    return createLlmExchange({
      provider,
      head,
      is_partial_head: full_head.is_partial === true,
      start,
      budget,
      counters,
      origin: originOf(head, start, connection, event),
      closeCause,
      emit,
      later,
      otherwise: toServer,
    });
  };
  const serverOf = (
    { host: authority }: Pick<HttpRequestHead, 'host'>,
    connection: Connection,
    { connection: id }: TlsDataEvent,
  ): (() => CallServer) => {
    const default_port = isPlainConnection(id) ? HTTP_PORT : HTTPS_PORT;
    const host = authority === undefined ? undefined : splitHost(authority, default_port);
    return () => {
      const { socket_id } = connection;
      const peer = sockets.peer(socket_id);
      const { address, port } = peer.is_unix ? peer : (host ?? peer);
      return { socket_id, server_address: address, server_port: port };
    };
  };
  /** Of a new call. */
  const originOf = (
    head: Pick<HttpRequestHead, 'host'>,
    { tid }: Arrival,
    connection: Connection,
    event: TlsDataEvent,
  ): (() => CallOrigin) => {
    const { process, pid, connection: id } = event;
    const call_id = `${process}/${id.toString(16)}/${++call_count}`;
    const server = serverOf(head, connection, event);
    return () => ({ call_id, process, pid, tid, ...server() });
  };
  const upgrade = (
    full_head: RequestHead,
    response: ResponseHead,
    connection: Connection,
    unread: (at: Arrival) => void,
    event: TlsDataEvent,
  ): FramedConnection<Arrival> | undefined => {
    if (!isWebSocket(full_head, response)) return undefined;
    const head = withoutCredentials(full_head);
    return createWebSocketCalls({
      apis: options.webSocketApis ?? [],
      head,
      response,
      budget,
      counters,
      origin: (start) => originOf(head, start, connection, event),
      closeCause: () => connection.close_cause,
      emit,
      unread,
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
    halves.processEnded(event.process);
  };
  const takeTlsData = (event: TlsDataEvent): void => {
    const followed = processes.get(event.process)?.get(event.connection) ?? follow(event);
    by_age.delete(followed);
    by_age.add(followed);
    if (!isPlainConnection(event.connection)) unreadTls.read(event);
    followed.connection.push(event);
    if (by_age.size <= max_connections) return;
    const [oldest] = by_age;
    counters.lost('exchange.connections_evicted');
    if (oldest !== undefined) forget(oldest, arrivalOf(event), undefined);
  };
  const halves = createHalfConnections({
    max_halves: 2 * max_connections,
    counters,
    route: takeTlsData,
    ended(event, id) {
      const followed = processes.get(event.process)?.get(id);
      if (followed !== undefined) forget(followed, arrivalOf(event), SOCKET_CLOSED);
    },
  });
  const closeSocket = (event: EventBase, socket_id: bigint): void => {
    const plain = processes.get(event.process)?.get(plainConnection(socket_id));
    if (plain !== undefined) forget(plain, arrivalOf(event), SOCKET_CLOSED);
    for (const { connection } of processes.get(event.process)?.values() ?? []) {
      if (connection.socket_id === socket_id) connection.socketClosed(arrivalOf(event));
    }
  };

  return {
    push(event) {
      if (event.ktime_ns > last_ns) last_ns = event.ktime_ns;
      if (mcp.push(event)) return;
      switch (event.kind) {
        case 'tls_data':
          if (event.half) halves.push(event);
          else takeTlsData(event);
          return;
        case 'tls_binding':
          halves.bind(event);
          return;
        case 'plain_data':
          takeTlsData(plaintextOf(event));
          return;
        case 'tls_close': {
          const followed = processes.get(event.process)?.get(event.connection);
          if (followed !== undefined) forget(followed, arrivalOf(event), 'the TLS connection was closed');
          return;
        }
        case 'net_payload': {
          const payload = event.protocol === 'tls_client_hello' ? hellos.join(event) : event;
          if (event.protocol === 'tls_client_hello') unreadTls.hello(event);
          if (hellos.awaits(event.socket_id)) return;
          const name = netName(payload);
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
          if (event.closed) {
            closeSocket(event, event.socket_id);
            halves.socketClosed(event);
          }
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
      halves.settle(now_ns - MAX_WAIT_NS);
      mcp.settle(now_ns - MAX_WAIT_NS);
      next.tick?.(now_ns);
    },
    close() {
      halves.close();
      const at = { ktime_ns: last_ns, call_start_ns: last_ns, tid: 0 };
      for (const followed of [...by_age]) forget(followed, at, 'watching ended');
      mcp.end(last_ns);
      return next.close?.();
    },
  };
}

function arrivalOf({ ktime_ns, tid }: EventBase): Arrival {
  return { ktime_ns, call_start_ns: ktime_ns, tid };
}
