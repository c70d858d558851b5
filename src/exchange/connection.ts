import type { Counters } from '../health/counters.ts';
import type { ProcessKey, TlsDataEvent, UnreadTrafficEvent } from '../model/event.ts';
import type { ByteStream } from '../protocol/byte-stream.ts';
import { type AnyHttpConnection, createHttpConnection, startsHttpConnection } from '../protocol/http-connection.ts';
import type { ExchangeListener, FramedConnection, RequestHead, ResponseHead } from '../protocol/http-exchange.ts';
import type { Arrival } from './arrival.ts';
import { createCapturedStream } from './captured-stream.ts';

export interface ConnectionOptions {
  readonly process: ProcessKey;
  readonly pid: number;
  readonly counters: Counters;
  /** It is a socket itself, without TLS. */
  readonly is_plain: boolean;
  readonly max_streams: number;
  /** A request was begun on the connection. */
  request(head: RequestHead, start: Arrival, connection: Connection): ExchangeListener<Arrival> | undefined;
  /** A response comes whose request was not seen. */
  orphan(start: Arrival, connection: Connection): ExchangeListener<Arrival> | undefined;
  /** The server agreed to speak another protocol; `unread` tells, at any time, that it cannot be read. */
  upgrade(
    request: RequestHead,
    response: ResponseHead,
    connection: Connection,
    unread: (at: Arrival) => void,
  ): FramedConnection<Arrival> | undefined;
  unread(event: UnreadTrafficEvent): void;
}

/** One TLS connection object of one process. */
export interface Connection {
  push(event: TlsDataEvent): void;
  /**
   * The socket that is said to carry it was closed. It ends with the next request or the next `settle` after that; bytes
   * that come before show that it was another socket's.
   */
  socketClosed(at: Arrival): void;
  /** Stops waiting for what did not come until `until_ns`: missing bytes, or signs of life after its socket was closed. */
  settle(until_ns: bigint): void;
  /**
   * The connection ended: what is open is ended with `cause`. undefined: it is only followed no longer. What comes after
   * that is read as another connection.
   */
  close(at: Arrival, cause: string | undefined): void;
  /** 0n: not known. */
  readonly socket_id: bigint;
  readonly close_cause: string | undefined;
}

const UNREADABLE_BYTES = 4096;
const BINARY_PROBE_BYTES = 256;
export const SOCKET_CLOSED = 'the socket was closed';
const BINARY_SHARE = 0.05;

type Direction = TlsDataEvent['direction'];

/**
 * Reads the two streams of a connection as HTTP. One that speaks something else sleeps until a request is written on it:
 * the address of a connection object is used again.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { process, pid, counters } = options;
  let socket_id = 0n;
  let request_socket_id = 0n;
  let close_cause: string | undefined;
  let socket_closed: Arrival | undefined;
  let http: AnyHttpConnection<Arrival> | undefined;
  const streams: Partial<Record<Direction, { stream: ByteStream<TlsDataEvent>; first_ns: bigint }>> = {};
  let message_seen = false;
  let unread_told = false;
  let skipped_bytes = 0;
  let is_binary = false;

  const tellUnread = (protocol: UnreadTrafficEvent['protocol'], at: Arrival): void => {
    if (unread_told) return;
    unread_told = true;
    options.unread({ kind: 'unread_traffic', ktime_ns: at.ktime_ns, process, pid, tid: at.tid, socket_id, protocol });
  };
  const connection: Connection = {
    get socket_id() {
      return socket_id;
    },
    get close_cause() {
      return close_cause;
    },
    push(event) {
      if (socket_closed !== undefined) {
        if (event.direction === 'write' && startsHttpConnection(event.data)) {
          connection.close(socket_closed, SOCKET_CLOSED);
        }
        socket_closed = undefined;
      }
      if (event.socket_id !== 0n) socket_id = event.socket_id;
      streams[event.direction === 'write' ? 'read' : 'write']?.stream.flush(event.ktime_ns);
      streamOf(event).push(event);
      if (is_binary && !message_seen && skipped_bytes >= UNREADABLE_BYTES) {
        tellUnread('unknown', arrivalOf(event));
        http = undefined;
      }
    },
    socketClosed(at) {
      socket_closed ??= at;
    },
    settle(until_ns) {
      streams.write?.stream.flush(until_ns);
      streams.read?.stream.flush(until_ns);
      if (socket_closed !== undefined && socket_closed.ktime_ns <= until_ns)
        connection.close(socket_closed, SOCKET_CLOSED);
    },
    close(at, cause) {
      streams.write?.stream.flush();
      streams.read?.stream.flush();
      socket_closed = undefined;
      close_cause = cause;
      http?.close(at);
      if (is_binary && !message_seen) tellUnread('unknown', at);
      close_cause = undefined;
      http = listen();
    },
  };

  const listen = (): AnyHttpConnection<Arrival> => {
    message_seen = false;
    unread_told = false;
    skipped_bytes = 0;
    is_binary = false;
    request_socket_id = socket_id;
    return createHttpConnection<Arrival>({
      max_streams: options.max_streams,
      request(head, _at, start) {
        message_seen = true;
        counters.counted('exchange.requests');
        return options.request(head, start, connection);
      },
      orphan: (at) => options.orphan(at, connection),
      upgrade: (head, response) => options.upgrade(head, response, connection, (at) => tellUnread('websocket', at)),
      protocol(protocol, at) {
        if (protocol === 'server') counters.counted('exchange.server_connections');
        else tellUnread(protocol, at);
        if (protocol !== 'http2') http = undefined;
      },
      skipped(direction, data) {
        counters.counted('exchange.skipped_bytes', data.length);
        if (direction === 'read') return;
        if (skipped_bytes < BINARY_PROBE_BYTES) is_binary ||= looksBinary(data.subarray(0, BINARY_PROBE_BYTES));
        skipped_bytes += data.length;
      },
      lost: (reason) => counters.lost(`exchange.${reason}`),
      counted: (reason, amount) => counters.counted(`exchange.${reason}`, amount),
    });
  };

  const receive = (data: Uint8Array, event: TlsDataEvent): void => {
    const at = arrivalOf(event);
    if (event.direction === 'read') {
      http?.read(data, at);
      return;
    }
    if (startsHttpConnection(data)) {
      const is_other_socket = request_socket_id !== 0n && socket_id !== request_socket_id;
      if (http === undefined) http = listen();
      else if (is_other_socket || http.isRestartedBy(data)) {
        close_cause = 'the connection object was used for another connection';
        http.close(at);
        close_cause = undefined;
        http = listen();
      }
      request_socket_id = socket_id;
    }
    http?.write(data, at);
  };
  const loseBytes = (bytes: number, event: TlsDataEvent): void => {
    // Much of what goes through plain sockets is of no concern: where it is, the call that misses it is marked and counted.
    if (options.is_plain) counters.counted('exchange.plain_bytes_left_out', bytes);
    else counters.lost('exchange.lost_bytes', bytes);
    if (event.direction === 'write') http?.writeGap(bytes, arrivalOf(event));
    else http?.readGap(bytes, arrivalOf(event));
  };
  /** Offsets that begin anew belong to a connection object that was set up anew. */
  const streamOf = (event: TlsDataEvent): ByteStream<TlsDataEvent> => {
    const known = streams[event.direction];
    if (known !== undefined && !(event.offset === 0n && event.ktime_ns > known.first_ns)) return known.stream;
    known?.stream.flush();
    const stream = createCapturedStream<TlsDataEvent>(counters, { data: receive, gap: loseBytes });
    streams[event.direction] = { stream, first_ns: event.ktime_ns };
    return stream;
  };

  http = listen();
  return connection;
}

function arrivalOf({ ktime_ns, call_start_ns, tid }: TlsDataEvent): Arrival {
  return { ktime_ns, call_start_ns, tid };
}

/** Control characters that no text has. */
function looksBinary(data: Uint8Array): boolean {
  let count = 0;
  for (const byte of data) if (byte < 9 || (byte > 13 && byte < 32)) count++;
  return count > data.length * BINARY_SHARE;
}
