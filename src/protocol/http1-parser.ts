import { type ChunkedBody, createChunkedBody } from './chunked-body.ts';
import { addHeaderLine, type Framing, type Http1Head, mayBeStart, parseStartLine } from './http1-head.ts';
import { HTTP2_PREFACE_LINE, startsWithHttp2Frame } from './http2-frame.ts';
import { createLineReader, latin1 } from './line-reader.ts';
import { startsWithWebSocketFrame } from './websocket-frame.ts';

/**
 * `reversed`: this side sends what the other one should. `http2_frames`: without its preface, which was before;
 * `websocket_frames`: without its handshake.
 */
export type ForeignTraffic = 'http2_preface' | 'http2_frames' | 'websocket_frames' | 'reversed';

/** What the parser tells; `At` is whatever the caller knows of the piece a byte came in. */
export interface Http1ParserSink<At> {
  /**
   * A message began, with the first byte at `start`, the last of its head at `at`. How is its body framed? undefined: the
   * head contradicts itself, and is dropped.
   */
  head(head: Http1Head, at: At, start: At): Framing | undefined;
  body(data: Uint8Array, at: At): void;
  bodyGap(bytes: number, at: At): void;
  /** The message is over. Not `whole`: it broke off, or its end was not seen. */
  end(at: At, whole: boolean): void;
  /** The place is lost outside of a body; what follows is skipped up to the next message. */
  lost(why: 'gap' | 'malformed', at: At): void;
  skipped(data: Uint8Array): void;
  /** True: nothing more is to be read. What follows, if anything, is given to `tunnel`. */
  foreign(what: ForeignTraffic, at: At): boolean;
  tunnel(data: Uint8Array, at: At): void;
  /** The first bytes are not those of a message. True: they are of a body in chunks whose head was before, if of any. */
  joined?(at: At): boolean;
  /** May another message begin with a piece, although the body of this one is not at its end? */
  mayBreakOff(): boolean;
}

export interface Http1Parser<At> {
  push(bytes: Uint8Array, at: At): void;
  gap(bytes: number, at: At): void;
  /** The connection is at its end. A body that lasts until then is whole. */
  close(at: At): void;
  /** Gives up the message in progress and looks for the next. */
  abandon(at: At): void;
  readonly state: 'between' | 'head' | 'body' | 'lost_in_body' | 'lost' | 'tunnel';
}

const MAX_HEAD_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 64 * 1024;
const START_LINE_PROBE_BYTES = 4096;
const REQUEST_BEGUN = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}(?: .*)?)?\r?$/;

/** Does a piece begin with a whole start line of that kind, of a common method? */
export function startsMessage(bytes: Uint8Array, kind: Http1Head['kind']): boolean {
  const first = bytes[0] ?? 0;
  if (first < 65 || first > 90) return false;
  const text = latin1(bytes, 0, Math.min(bytes.length, START_LINE_PROBE_BYTES));
  const end = text.indexOf('\n');
  return end > 0 && mayBeStart(text) && parseStartLine(text.slice(0, end).trimEnd())?.kind === kind;
}

/**
 * Reads the messages of one direction of an HTTP/1.x connection (RFC 9112), fed with pieces of any size. What cannot be
 * read is skipped up to the next line, or piece, that begins like a message.
 */
export function createHttp1Parser<At>(kind: Http1Head['kind'], sink: Http1ParserSink<At>): Http1Parser<At> {
  const lines = createLineReader(MAX_LINE_BYTES);
  let state: 'start' | 'headers' | 'length' | 'chunked' | 'until_close' | 'lost' | 'tunnel' = 'start';
  let start_line: ReturnType<typeof parseStartLine>;
  let start: At;
  let headers = new Map<string, string>();
  let last_name: string | undefined;
  let head_bytes = 0;
  let remaining = 0;
  let chunked: ChunkedBody<At> | undefined;
  let skipping = false;
  let is_first_piece = true;
  /** The body that is being read was joined in its middle, or is none. */
  let is_joined = false;

  const seek = (): void => {
    state = 'lost';
    skipping = false;
    lines.reset();
  };
  const lose = (why: 'gap' | 'malformed', at: At): void => {
    seek();
    sink.lost(why, at);
  };
  const end = (at: At, whole: boolean): void => {
    state = 'start';
    chunked = undefined;
    is_joined = false;
    lines.reset();
    sink.end(at, whole);
  };
  const foreign = (what: ForeignTraffic, at: At): boolean => {
    const stop = sink.foreign(what, at);
    if (stop) state = 'tunnel';
    return stop;
  };
  const isStart = (line: string): boolean => mayBeStart(line) && parseStartLine(line)?.kind === kind;

  const beginHead = (line: string, at: At): boolean => {
    const parsed = parseStartLine(line);
    if (parsed === undefined) {
      return line === HTTP2_PREFACE_LINE && foreign(kind === 'request' ? 'http2_preface' : 'reversed', at);
    }
    if (parsed.kind !== kind) return foreign('reversed', at);
    start_line = parsed;
    headers = new Map();
    last_name = undefined;
    head_bytes = line.length;
    state = 'headers';
    return true;
  };
  const endHead = (at: At): void => {
    const head = { ...start_line, headers } as Http1Head;
    const framing = sink.head(head, at, start);
    if (framing === undefined) lose('malformed', at);
    else if (framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)) end(at, true);
    else if (framing.kind === 'length') {
      remaining = framing.bytes;
      state = 'length';
    } else if (framing.kind === 'chunked') {
      beginChunks();
    } else state = framing.kind;
  };
  const beginChunks = (): void => {
    chunked = createChunkedBody<At>(lines, { body: sink.body, gap: sink.bodyGap, isStart, mayBeStart });
    state = 'chunked';
  };
  const isBody = (bytes: Uint8Array, at: At): boolean =>
    !mayBeStart(latin1(bytes, 0, Math.min(bytes.length, START_LINE_PROBE_BYTES))) && sink.joined?.(at) === true;
  /** Chunks are looked for, as behind a gap. */
  const joinBody = (at: At): void => {
    beginChunks();
    is_joined = true;
    chunked?.gap(0, at);
  };

  const readStart = (bytes: Uint8Array, from: number, at: At): void => {
    if (lines.partial === '') start = at;
    const line = lines.read(bytes, from);
    if (line === undefined) {
      const text = lines.partial;
      const begun = mayBeStart(text) || (kind === 'request' ? REQUEST_BEGUN.test(text) : text === '\r');
      if (begun && !lines.overflow) return;
      lose('malformed', at);
      skipping = true;
      sink.skipped(bytes.subarray(from, lines.position));
    } else if (line !== '' && !beginHead(line, at)) {
      lose('malformed', at);
      sink.skipped(bytes.subarray(from, lines.position));
    }
  };
  const readHeader = (bytes: Uint8Array, from: number, at: At): void => {
    const line = lines.read(bytes, from);
    if (line === undefined) {
      if (lines.overflow) lose('malformed', at);
      return;
    }
    if (line === '') {
      endHead(at);
      return;
    }
    head_bytes += line.length;
    const name = head_bytes > MAX_HEAD_BYTES ? false : addHeaderLine(headers, line, last_name);
    if (name === false) {
      lose('malformed', at);
      start = at;
      if (isStart(line)) beginHead(line, at);
    } else last_name = name;
  };
  const readLost = (bytes: Uint8Array, from: number, at: At): void => {
    if (lines.partial === '') start = at;
    const line = lines.read(bytes, from);
    if (line === undefined) {
      if (lines.overflow || !mayBeStart(lines.partial)) {
        skipping = true;
        lines.reset();
      }
    } else if (!skipping && mayBeStart(line) && beginHead(line, at)) return;
    else skipping = false;
    sink.skipped(bytes.subarray(from, lines.position));
  };
  const readBody = (bytes: Uint8Array, from: number, at: At): number => {
    const stop = state === 'length' ? Math.min(bytes.length, from + remaining) : bytes.length;
    remaining -= stop - from;
    sink.body(bytes.subarray(from, stop), at);
    if (state === 'length' && remaining === 0) end(at, true);
    return stop;
  };
  const readChunked = (body: ChunkedBody<At>, bytes: Uint8Array, from: number, at: At): number => {
    const position = body.read(bytes, from, at);
    if (body.ended) {
      const line = body.start_line;
      end(at, line === undefined);
      if (line !== undefined) {
        start = at;
        beginHead(line, at);
      }
    }
    return position;
  };
  /** A piece begins: the place where a message is most likely to begin, whatever was expected. */
  const beginPiece = (bytes: Uint8Array, at: At): void => {
    const is_first = is_first_piece;
    is_first_piece = false;
    chunked?.beginPiece();
    if (state === 'start' || state === 'lost' || (is_joined && chunked?.lost)) {
      if (lines.partial === '' && startsWithHttp2Frame(bytes)) foreign('http2_frames', at);
      else if (kind === 'request' && lines.partial === '' && startsWithWebSocketFrame(bytes)) {
        foreign('websocket_frames', at);
      }
      if (state === 'lost' && (skipping || startsMessage(bytes, kind))) {
        skipping = false;
        lines.reset();
      }
      if (state === 'start' && is_first && isBody(bytes, at)) {
        joinBody(at);
        chunked?.beginPiece();
      }
    }
    if (
      state !== 'start' &&
      state !== 'lost' &&
      state !== 'headers' &&
      startsMessage(bytes, kind) &&
      sink.mayBreakOff()
    )
      parser.abandon(at);
  };

  const parser: Http1Parser<At> = {
    get state() {
      if (state === 'start') return lines.partial === '' ? 'between' : 'head';
      if (state === 'headers') return 'head';
      if (state === 'lost' || state === 'tunnel') return state;
      return chunked?.lost ? 'lost_in_body' : 'body';
    },
    push(bytes, at) {
      beginPiece(bytes, at);
      for (let from = 0; from < bytes.length; ) {
        if (state === 'tunnel') {
          sink.tunnel(bytes.subarray(from), at);
          return;
        }
        if (state === 'length' || state === 'until_close') from = readBody(bytes, from, at);
        else if (chunked !== undefined) from = readChunked(chunked, bytes, from, at);
        else {
          if (state === 'start') readStart(bytes, from, at);
          else if (state === 'headers') readHeader(bytes, from, at);
          else readLost(bytes, from, at);
          from = lines.position;
        }
      }
    },
    gap(bytes, at) {
      if (state === 'length') {
        sink.bodyGap(Math.min(bytes, remaining), at);
        remaining -= bytes;
        if (remaining <= 0) end(at, remaining === 0);
        if (remaining < 0) lose('gap', at);
      } else if (state === 'until_close') sink.bodyGap(bytes, at);
      else if (chunked !== undefined) chunked.gap(bytes, at);
      else if (state !== 'tunnel') lose('gap', at);
    },
    close(at) {
      if (state === 'until_close') end(at, true);
      else if (state === 'length' || state === 'chunked') end(at, false);
    },
    abandon(at) {
      if (state === 'length' || state === 'chunked' || state === 'until_close') end(at, false);
      if (state !== 'tunnel') seek();
    },
  };
  return parser;
}
