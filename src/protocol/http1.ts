import { type Http1RequestHead, type Http1ResponseHead, requestFraming, responseFraming } from './http1-head.ts';
import { createHttp1Parser } from './http1-parser.ts';

/**
 * How a response came to its end. `closed`: with the connection, as its head said. `cut`: with the connection, too early.
 * `lost`: the next message began, or its end was not seen.
 */
export type ResponseEnd = 'whole' | 'closed' | 'cut' | 'lost';

/** Hears of one exchange: a request and, in the end always, its response. */
export interface Http1Listener<At> {
  requestBody(data: Uint8Array, at: At): void;
  requestGap(bytes: number, at: At): void;
  requestEnd(at: At, whole: boolean): void;
  /** The final response; interim ones (1xx) are not told. */
  responseHead(head: Http1ResponseHead, at: At): void;
  responseBody(data: Uint8Array, at: At): void;
  responseGap(bytes: number, at: At): void;
  /** Bytes came where the response should begin, and are none. */
  responseMalformed(at: At): void;
  responseEnd(at: At, how: ResponseEnd): void;
}

export interface Http1Sink<At> {
  /** A request was begun. undefined: nobody wants to hear of it. */
  request(head: Http1RequestHead, at: At, start: At): Http1Listener<At> | undefined;
  /** The connection speaks something else from here on. `server`: HTTP/1, but the watched side is the server. */
  protocol(protocol: 'http2' | 'websocket' | 'unknown' | 'server', at: At): void;
  /** Bytes that belong to no message. */
  skipped(direction: 'write' | 'read', data: Uint8Array): void;
  count(reason: 'joined_midstream' | 'malformed' | 'orphan_response' | 'too_many_pipelined'): void;
}

/** A connection as its client sees it: requests are written, responses read. */
export interface Http1Connection<At> {
  write(data: Uint8Array, at: At): void;
  read(data: Uint8Array, at: At): void;
  writeGap(bytes: number, at: At): void;
  readGap(bytes: number, at: At): void;
  /** Ends every exchange that is open. */
  close(at: At): void;
}

interface PendingExchange<At> {
  readonly method: string;
  readonly listener: Http1Listener<At> | undefined;
}

const MAX_PIPELINED = 64;

/** Reads both directions of an HTTP/1.x connection and pairs requests with responses (RFC 9112 section 9.3.2). */
export function createHttp1Connection<At>(sink: Http1Sink<At>): Http1Connection<At> {
  /** Requests without their whole response, oldest first. */
  let pending: PendingExchange<At>[] = [];
  /** The one whose request is being written. */
  let requesting: PendingExchange<At> | undefined;
  let interim = false;
  /** The place in the responses was lost since the last one ended. */
  let place_lost = false;
  let message_seen = false;
  let closing = false;
  /** Closing, and the response may have ended among what was lost. */
  let end_unsure = false;

  const giveUp = (count: number, at: At, how: ResponseEnd): void => {
    const given_up = pending.slice(0, count);
    pending = pending.slice(count);
    for (const { listener } of given_up) listener?.responseEnd(at, how);
  };
  const foreign = (what: 'http2' | 'reversed', at: At): boolean => {
    if (message_seen) return false;
    sink.protocol(what === 'http2' ? 'http2' : 'server', at);
    return true;
  };
  const countLost = (why: 'gap' | 'malformed'): void => {
    if (why === 'malformed') sink.count(message_seen ? 'malformed' : 'joined_midstream');
  };

  const requests = createHttp1Parser<At>('request', {
    head(head, at, start) {
      const framing = head.kind === 'request' ? requestFraming(head) : undefined;
      if (head.kind !== 'request' || framing === undefined) return undefined;
      message_seen = true;
      const is_damaged = place_lost || responses.state === 'lost' || responses.state === 'lost_in_body';
      if (pending.length >= MAX_PIPELINED) sink.count('too_many_pipelined');
      if (pending.length > 0 && (is_damaged || pending.length >= MAX_PIPELINED)) {
        responses.abandon(at);
        giveUp(pending.length, at, 'lost');
      }
      requesting = { method: head.method, listener: sink.request(head, at, start) };
      pending.push(requesting);
      return framing;
    },
    body: (data, at) => requesting?.listener?.requestBody(data, at),
    bodyGap: (bytes, at) => requesting?.listener?.requestGap(bytes, at),
    end(at, whole) {
      requesting?.listener?.requestEnd(at, whole);
      requesting = undefined;
    },
    lost: countLost,
    skipped: (data) => sink.skipped('write', data),
    foreign,
    mayBreakOff: () => true,
  });

  const responses = createHttp1Parser<At>('response', {
    head(head, at) {
      if (head.kind !== 'response') return undefined;
      message_seen = true;
      interim = head.status >= 100 && head.status < 200 && head.status !== 101;
      if (interim) return { kind: 'none' };
      if (place_lost && pending.length > 1) giveUp(pending.length - 1, at, 'lost');
      place_lost = false;
      const exchange = pending[0];
      if (exchange === undefined) sink.count('orphan_response');
      const framing = responseFraming(head, exchange?.method);
      if (framing === undefined) return undefined;
      exchange?.listener?.responseHead(head, at);
      if (framing.kind === 'tunnel') {
        giveUp(pending.length, at, 'whole');
        sink.protocol(upgradedProtocol(head), at);
      }
      return framing;
    },
    body: (data, at) => pending[0]?.listener?.responseBody(data, at),
    bodyGap: (bytes, at) => pending[0]?.listener?.responseGap(bytes, at),
    end(at, whole) {
      if (!interim) giveUp(1, at, whole ? (closing ? 'closed' : 'whole') : closing && !end_unsure ? 'cut' : 'lost');
      interim = false;
    },
    lost(why, at) {
      place_lost = true;
      if (why === 'malformed') pending[0]?.listener?.responseMalformed(at);
      countLost(why);
    },
    skipped: (data) => sink.skipped('read', data),
    foreign,
    mayBreakOff: () => pending.length > 1,
  });

  return {
    write: requests.push,
    read: responses.push,
    writeGap: requests.gap,
    readGap(bytes, at) {
      const was = responses.state;
      if (was === 'between' || was === 'head' || was === 'lost') pending[0]?.listener?.responseGap(bytes, at);
      responses.gap(bytes, at);
    },
    close(at) {
      closing = true;
      end_unsure = responses.state === 'lost_in_body';
      requesting = undefined;
      responses.close(at);
      giveUp(pending.length, at, 'cut');
    },
  };
}

function upgradedProtocol(head: Http1ResponseHead): 'http2' | 'websocket' | 'unknown' {
  const upgrade = head.headers.get('upgrade')?.toLowerCase();
  if (upgrade === 'websocket') return 'websocket';
  return upgrade === 'h2c' ? 'http2' : 'unknown';
}
