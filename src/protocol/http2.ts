import type { HeaderBlock } from './hpack.ts';
import type {
  ExchangeListener,
  FramedConnection,
  HttpSink,
  RequestHead,
  ResponseEnd,
  ResponseHead,
} from './http-exchange.ts';
import { createHttp2Direction } from './http2-direction.ts';
import { http2ErrorName } from './http2-error.ts';
import { LIKELY_STREAM_LIMIT } from './http2-frame.ts';
import { readHttp2Head } from './http2-head.ts';
import { createTableAllowance } from './http2-settings.ts';
import type { Http2Stream } from './http2-stream.ts';

/** Where the place is lost, a frame of a stream that is further ahead is not taken for one. */
const LIKELY_STREAMS_AHEAD = 4096;
const UNSURE_STREAMS = 16;
const UNREADABLE_BYTES = 64 * 1024;

/**
 * Reads both directions of an HTTP/2 connection and pairs requests with responses (RFC 9113 section 8). `joined`: its
 * beginning was not seen.
 */
export function createHttp2Connection<At>(sink: HttpSink<At>, joined: boolean): FramedConnection<At> {
  /** In the order in which they began. */
  const streams = new Map<number, Http2Stream<At>>();
  /** What the client allows the server's header table, and the reverse. */
  const client_allows = createTableAllowance(joined);
  const server_allows = createTableAllowance(joined);
  let highest_stream = 0;
  /** The first request that was seen: responses on streams before it answer requests that were not. */
  let first_stream = Number.POSITIVE_INFINITY;
  let skipped_bytes = 0;
  let is_reversed = false;

  const finish = (stream: Http2Stream<At>, at: At, how: ResponseEnd, cause?: string): void => {
    streams.delete(stream.id);
    stream.listener?.responseEnd(at, how, cause);
    stream.tunnel?.close(at, cause ?? (how === 'whole' ? 'the stream ended' : undefined));
  };
  const giveUp = (stream: Http2Stream<At>, at: At): void => {
    stream.listener?.responseGap(0, at);
    finish(stream, at, 'lost');
  };
  const reverse = (at: At): void => {
    is_reversed = true;
    sink.protocol('server', at);
  };
  const lose = (): Http2Stream<At>[] => {
    client_allows.lose();
    server_allows.lose();
    return [...streams.values()];
  };
  const skip = (bytes: number, at: At): void => {
    sink.counted('skipped_bytes', bytes);
    if (skipped_bytes <= UNREADABLE_BYTES && skipped_bytes + bytes > UNREADABLE_BYTES) sink.protocol('http2', at);
    skipped_bytes += bytes;
  };
  const isLikelyStream = (id: number): boolean | undefined => {
    if (streams.has(id)) return true;
    const limit = highest_stream === 0 ? LIKELY_STREAM_LIMIT : highest_stream + 2 * LIKELY_STREAMS_AHEAD;
    return id > limit ? false : undefined;
  };
  const answered = (id: number): Http2Stream<At> | undefined => {
    const stream = streams.get(id);
    if (stream !== undefined) stream.unsure_until = undefined;
    return stream;
  };
  const endRequest = (stream: Http2Stream<At> | undefined, at: At, whole: boolean): void => {
    if (!stream?.is_requesting) return;
    stream.is_requesting = false;
    stream.listener?.requestEnd(at, whole);
  };
  const endResponse = (stream: Http2Stream<At>, at: At): void => {
    finish(stream, at, stream.response === 'body' ? 'whole' : 'lost');
  };

  const addStream = (
    id: number,
    listener: ExchangeListener<At> | undefined,
    connect: RequestHead | undefined,
    is_requesting: boolean,
  ): Http2Stream<At> => {
    const fresh = { tunnel: undefined, response: 'awaited', unsure_until: undefined } as const;
    const stream: Http2Stream<At> = { id, listener, connect, is_requesting, ...fresh };
    streams.set(id, stream);
    return stream;
  };
  /** A response whose request was before reading began; undefined: nobody wants it, or it is none. */
  const beginOrphan = (id: number, at: At): Http2Stream<At> | undefined => {
    if (!joined || id % 2 === 0 || id >= first_stream || streams.size >= sink.max_streams) return undefined;
    const listener = sink.orphan?.(at);
    return listener && addStream(id, listener, undefined, false);
  };
  /** Its head was before, too. */
  const joinBody = (id: number, at: At): Http2Stream<At> | undefined => {
    const stream = beginOrphan(id, at);
    if (stream === undefined) return undefined;
    sink.counted('joined_midstream');
    stream.response = 'body';
    return stream;
  };
  const begin = (
    id: number,
    listener: ExchangeListener<At> | undefined,
    connect: RequestHead | undefined,
    at: At,
  ): Http2Stream<At> => {
    highest_stream = id;
    first_stream = Math.min(first_stream, id);
    const [oldest] = streams.values();
    if (oldest !== undefined && streams.size >= sink.max_streams) {
      sink.lost('too_many_streams');
      giveUp(oldest, at);
    }
    for (const stream of streams.values()) {
      if (stream.unsure_until !== undefined && stream.unsure_until < id) giveUp(stream, at);
    }
    return addStream(id, listener, connect, true);
  };
  const listenerOf = (head: RequestHead | undefined, at: At, start: At): ExchangeListener<At> | undefined =>
    head === undefined ? sink.orphan?.(start) : sink.request(head, at, start);
  const beginRequest = (id: number, block: HeaderBlock | undefined, end_stream: boolean, at: At, start: At): void => {
    if (block?.problem === 'malformed') sink.lost('malformed');
    const read = block === undefined || block.problem === 'malformed' ? undefined : readHttp2Head(block, 'request');
    if (read?.kind === 'response') {
      reverse(at);
      return;
    }
    if (read?.kind === 'trailers') return;
    if (read !== undefined && read.head === undefined) {
      sink.counted('joined_midstream');
      sink.protocol('http2', at);
    }
    const head = read?.head;
    const connect = head?.protocol === undefined ? undefined : head;
    const listener = connect === undefined ? listenerOf(head, at, start) : undefined;
    const stream = begin(id, listener, connect, at);
    if (end_stream) endRequest(stream, at, true);
  };

  const requests = createHttp2Direction<At>(joined, {
    headers(id, block, end_stream, at, start) {
      const stream = streams.get(id);
      if (stream !== undefined) {
        if (end_stream) endRequest(stream, at, true);
      } else if (id > highest_stream && id % 2 === 1) beginRequest(id, block, end_stream, at, start);
    },
    data(id, data, at) {
      const stream = streams.get(id);
      if (stream?.is_requesting) stream.listener?.requestBody(data, at);
      stream?.tunnel?.write(data, at);
    },
    dataGap(id, bytes, at) {
      const stream = streams.get(id);
      stream?.listener?.requestGap(bytes, at);
      stream?.tunnel?.writeGap(bytes, at);
    },
    end: (id, at) => endRequest(streams.get(id), at, true),
    reset(id, code, at) {
      const stream = streams.get(id);
      if (stream !== undefined) finish(stream, at, 'cut', `the client cancelled the stream (${http2ErrorName(code)})`);
    },
    goaway() {},
    settings(settings) {
      if (settings === undefined) client_allows.lose();
      else client_allows.sent(settings.table_bytes);
      responses.allow(settings?.max_frame_bytes ?? 0);
    },
    settingsAcknowledged: () => requests.allowTable(server_allows.acknowledged()),
    preface() {},
    lost(bytes, at) {
      const open = lose().filter(({ is_requesting }) => is_requesting);
      for (const { listener, tunnel } of open) {
        listener?.requestGap(open.length === 1 ? bytes : 0, at);
        tunnel?.writeGap(0, at);
      }
    },
    skipped: skip,
    isLikelyStream,
  });

  const loseResponses = (bytes: number, at: At): void => {
    const open = lose();
    for (const stream of open) {
      stream.unsure_until = highest_stream + 2 * UNSURE_STREAMS;
      stream.listener?.responseGap(open.length === 1 ? bytes : 0, at);
      stream.tunnel?.readGap(0, at);
    }
  };
  const upgrade = (stream: Http2Stream<At>, head: ResponseHead, at: At): void => {
    if (stream.connect === undefined || head.status >= 300) return;
    stream.tunnel = sink.upgrade(stream.connect, head, at);
    if (stream.tunnel === undefined) sink.protocol('http2', at);
  };
  const readHead = (stream: Http2Stream<At>, block: HeaderBlock | undefined, end_stream: boolean, at: At): void => {
    const read = block === undefined || block.problem === 'malformed' ? undefined : readHttp2Head(block, 'response');
    if (read?.kind === 'request' || (read?.kind === 'trailers' && stream.response === 'unread')) return;
    if (read?.kind === 'response' && read.head !== undefined) {
      const is_interim = read.head.status < 200 && !end_stream;
      if (is_interim) return;
      stream.response = 'body';
      stream.listener?.responseHead(read.head, at);
      upgrade(stream, read.head, at);
    } else if (block === undefined || read?.kind === 'response') {
      stream.response = 'unread';
      stream.listener?.responseGap(0, at);
    } else {
      stream.response = 'unread';
      sink.lost('malformed');
      stream.listener?.responseMalformed(at);
    }
  };

  const tellTrailers = (stream: Http2Stream<At>, block: HeaderBlock, at: At): void => {
    const read = readHttp2Head(block, 'response');
    if (read.kind === 'trailers') stream.listener?.responseTrailers?.(read.fields, at);
  };

  const responses = createHttp2Direction<At>(joined, {
    headers(id, block, end_stream, at) {
      const known = answered(id);
      const head = known === undefined && block !== undefined ? readHttp2Head(block, 'response') : undefined;
      if (head?.kind === 'request') {
        if (id > highest_stream) reverse(at);
        return;
      }
      if (known === undefined && id > highest_stream) sink.counted('orphan_response');
      const stream = known ?? (head?.kind === 'response' ? beginOrphan(id, at) : undefined);
      if (stream === undefined) return;
      if (stream.response !== 'body') readHead(stream, block, end_stream, at);
      else if (block !== undefined) tellTrailers(stream, block, at);
      if (end_stream) endResponse(stream, at);
    },
    data(id, data, at) {
      const stream = answered(id) ?? joinBody(id, at);
      if (stream?.response !== 'body') return;
      stream.listener?.responseBody(data, at);
      stream.tunnel?.read(data, at);
    },
    dataGap(id, bytes, at) {
      const stream = answered(id);
      stream?.listener?.responseGap(bytes, at);
      stream?.tunnel?.readGap(bytes, at);
    },
    end(id, at) {
      const stream = answered(id);
      if (stream !== undefined) endResponse(stream, at);
    },
    reset(id, code, at) {
      const stream = streams.get(id);
      if (stream !== undefined) finish(stream, at, 'cut', `the server reset the stream (${http2ErrorName(code)})`);
    },
    goaway(last_stream, code, at) {
      const refused = [...streams.values()].filter(({ id }) => id > last_stream);
      for (const stream of refused) finish(stream, at, 'cut', `the server went away (${http2ErrorName(code)})`);
    },
    settings(settings) {
      if (settings === undefined) server_allows.lose();
      else server_allows.sent(settings.table_bytes);
      requests.allow(settings?.max_frame_bytes ?? 0);
    },
    settingsAcknowledged: () => responses.allowTable(client_allows.acknowledged()),
    preface: reverse,
    lost: loseResponses,
    skipped(bytes, at) {
      skip(bytes, at);
      loseResponses(bytes, at);
    },
    isLikelyStream,
  });

  return {
    get between_frames() {
      return requests.between;
    },
    write(data, at) {
      if (!is_reversed) requests.push(data, at);
    },
    read(data, at) {
      if (!is_reversed) responses.push(data, at);
    },
    writeGap: requests.gap,
    readGap: responses.gap,
    close(at) {
      for (const stream of [...streams.values()])
        finish(stream, at, stream.unsure_until === undefined ? 'cut' : 'lost');
    },
  };
}
