import type { ExchangeListener, HttpConnection, HttpSink, RequestHead, ResponseEnd } from './http-exchange.ts';
import { requestFraming, responseFraming } from './http1-head.ts';
import { createHttp1Parser, type ForeignTraffic } from './http1-parser.ts';
import { JOINED_WEBSOCKET } from './websocket.ts';

export interface Http1Sink<At> extends HttpSink<At> {
  /** Bytes that belong to no message. */
  skipped(direction: 'write' | 'read', data: Uint8Array): void;
  /** HTTP/2 is spoken: the first line of its preface came, it was agreed on, or it was before. */
  http2(begun: 'preface' | 'upgrade' | 'frames', at: At): void;
  /** What is left of a piece, and all that is fed, after the connection turned into something else. */
  tunnel(direction: 'write' | 'read', data: Uint8Array, at: At): void;
}

interface PendingExchange<At> {
  readonly head: RequestHead;
  readonly listener: ExchangeListener<At> | undefined;
}

/** A response whose request was not seen. */
interface Orphan<At> {
  readonly listener: ExchangeListener<At> | undefined;
  /** Neither was its head: reading began in its body. */
  readonly is_headless: boolean;
}

const MAX_PIPELINED = 64;

/** Reads both directions of an HTTP/1.x connection and pairs requests with responses (RFC 9112 section 9.3.2). */
export function createHttp1Connection<At>(sink: Http1Sink<At>): HttpConnection<At> {
  /** Requests without their whole response, oldest first. */
  let pending: PendingExchange<At>[] = [];
  /** The one whose request is being written. */
  let requesting: PendingExchange<At> | undefined;
  /** The response that is being read, if it is one. */
  let orphan: Orphan<At> | undefined;
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
  /** Who hears of the response that is being read. */
  const answered = (): ExchangeListener<At> | undefined => (orphan ?? pending[0])?.listener;
  const endOrphan = (at: At, how: ResponseEnd): void => {
    const { listener } = orphan ?? {};
    orphan = undefined;
    listener?.responseEnd(at, how);
  };
  const foreign = (what: ForeignTraffic, at: At): boolean => {
    if (message_seen) return false;
    endOrphan(at, 'lost');
    if (what === 'reversed') sink.protocol('server', at);
    else if (what === 'websocket_frames') {
      sink.counted('joined_midstream');
      if (sink.upgrade(JOINED_WEBSOCKET.request, JOINED_WEBSOCKET.response, at) === undefined)
        sink.protocol('websocket', at);
    } else sink.http2(what === 'http2_preface' ? 'preface' : 'frames', at);
    return true;
  };
  const countLost = (why: 'gap' | 'malformed'): void => {
    if (why !== 'malformed') return;
    if (message_seen) sink.lost('malformed');
    else sink.counted('joined_midstream');
  };

  const requests = createHttp1Parser<At>('request', {
    head(head, at, start) {
      const framing = head.kind === 'request' ? requestFraming(head) : undefined;
      if (head.kind !== 'request' || framing === undefined) return undefined;
      message_seen = true;
      // Nobody asks for more before it is over.
      if (orphan !== undefined) responses.abandon(at);
      const is_damaged = place_lost || responses.state === 'lost' || responses.state === 'lost_in_body';
      if (pending.length >= MAX_PIPELINED) sink.lost('too_many_pipelined');
      if (pending.length > 0 && (is_damaged || pending.length >= MAX_PIPELINED)) {
        responses.abandon(at);
        giveUp(pending.length, at, 'lost');
      }
      requesting = { head, listener: sink.request(head, at, start) };
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
    tunnel: (data, at) => sink.tunnel('write', data, at),
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
      const framing = responseFraming(head, exchange?.head.method);
      if (exchange === undefined) {
        sink.counted('orphan_response');
        if (framing !== undefined && framing.kind !== 'tunnel')
          orphan = { listener: sink.orphan?.(at), is_headless: false };
      }
      if (framing === undefined) return undefined;
      answered()?.responseHead(head, at);
      if (framing.kind === 'tunnel') {
        giveUp(pending.length, at, 'whole');
        const upgrade = head.headers.get('upgrade')?.toLowerCase();
        if (upgrade === 'h2c') sink.http2('upgrade', at);
        else if (exchange === undefined || sink.upgrade(exchange.head, head, at) === undefined)
          sink.protocol(upgrade === 'websocket' ? 'websocket' : 'unknown', at);
      }
      return framing;
    },
    body: (data, at) => answered()?.responseBody(data, at),
    bodyGap: (bytes, at) => answered()?.responseGap(bytes, at),
    end(at, whole) {
      const how = whole ? (closing ? 'closed' : 'whole') : closing && !end_unsure ? 'cut' : 'lost';
      if (orphan !== undefined) endOrphan(at, how);
      else if (!interim) giveUp(1, at, how);
      interim = false;
    },
    lost(why, at) {
      place_lost = true;
      if (why === 'malformed') pending[0]?.listener?.responseMalformed(at);
      countLost(why);
    },
    skipped: (data) => sink.skipped('read', data),
    foreign,
    tunnel: (data, at) => sink.tunnel('read', data, at),
    joined(at) {
      const listener = message_seen ? undefined : sink.orphan?.(at);
      if (listener === undefined) return false;
      sink.counted('joined_midstream');
      orphan = { listener, is_headless: true };
      return true;
    },
    mayBreakOff: () => pending.length > 1 || orphan?.is_headless === true,
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
