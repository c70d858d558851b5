import type { LineReader } from './line-reader.ts';

const CHUNK_SIZE = /^\s*([0-9a-fA-F]{1,12})\s*(?:;.*)?$/;
/** What is taken for a chunk's head where its place is not known: no spaces, and short. */
const LIKELY_CHUNK_SIZE = /^[0-9a-fA-F]{1,8}(?:;.*)?$/;
const LIKELY_CHUNK_SIZE_BEGUN = /^[0-9a-fA-F]{0,8}(?:;.*)?\r?$/;

export interface ChunkedBodySink<At> {
  body(data: Uint8Array, at: At): void;
  /** Bytes are missing, or could not be told from framing. */
  gap(bytes: number, at: At): void;
  /** Does the line begin another message, so that this one is over? */
  isStart(line: string): boolean;
  mayBeStart(text: string): boolean;
}

export interface ChunkedBody<At> {
  /** Reads on at `from` until the body ends or the bytes do; gives the position after. */
  read(bytes: Uint8Array, from: number, at: At): number;
  gap(bytes: number, at: At): void;
  /** What is read next came in another piece: where the place is lost, a chunk may begin here. */
  beginPiece(): void;
  readonly ended: boolean;
  /** The body broke off, and this line, already read, begins another message. */
  readonly start_line: string | undefined;
  /** The place in the framing is not known. */
  readonly lost: boolean;
}

/** A body in chunks (RFC 9112 section 7.1). Extensions and trailers are read over. After a gap it looks for the next chunk. */
export function createChunkedBody<At>(lines: LineReader, sink: ChunkedBodySink<At>): ChunkedBody<At> {
  let state: 'size' | 'data' | 'data_end' | 'trailers' | 'lost' | 'ended' = 'size';
  let remaining = 0;
  let start_line: string | undefined;
  /** Lost, and in a line that is no chunk's head. */
  let skipping = false;
  /** Lost, and the line that is being read began after a CRLF or with a piece. */
  let plausible = false;

  const lose = (): void => {
    state = 'lost';
    skipping = false;
    plausible = false;
    lines.reset();
  };
  const beginChunk = (size: number): void => {
    remaining = size;
    state = size === 0 ? 'trailers' : 'data';
  };
  const isLost = (): boolean => state === 'lost';
  const breakOff = (line: string): void => {
    start_line = line;
    state = 'ended';
  };

  const readFramingLine = (bytes: Uint8Array, from: number): void => {
    const line = lines.read(bytes, from);
    if (line === undefined) {
      if (lines.overflow) lose();
    } else if (sink.isStart(line)) breakOff(line);
    else if (state === 'trailers') state = line === '' ? 'ended' : 'trailers';
    else if (state === 'data_end') {
      if (line === '') state = 'size';
      else lose();
    } else {
      const size = CHUNK_SIZE.exec(line)?.[1];
      if (size === undefined) lose();
      else beginChunk(Number.parseInt(size, 16));
    }
  };
  const readLost = (bytes: Uint8Array, from: number): void => {
    const line = lines.read(bytes, from);
    if (line === undefined) {
      const text = lines.partial;
      if (lines.overflow || !((plausible && LIKELY_CHUNK_SIZE_BEGUN.test(text)) || sink.mayBeStart(text))) {
        skipping = true;
        lines.reset();
      }
      return;
    }
    const was_plausible = plausible && !skipping && lines.ended_with_crlf;
    plausible = lines.ended_with_crlf;
    if (skipping) skipping = false;
    else if (sink.isStart(line)) breakOff(line);
    else if (was_plausible && LIKELY_CHUNK_SIZE.test(line)) beginChunk(Number.parseInt(line, 16));
  };

  return {
    get ended() {
      return state === 'ended';
    },
    get start_line() {
      return start_line;
    },
    get lost() {
      return isLost();
    },
    read(bytes, from, at) {
      let position = from;
      while (position < bytes.length && state !== 'ended') {
        if (state === 'data') {
          const end = Math.min(bytes.length, position + remaining);
          sink.body(bytes.subarray(position, end), at);
          remaining -= end - position;
          position = end;
          if (remaining === 0) state = 'data_end';
        } else if (state === 'lost') {
          readLost(bytes, position);
          if (isLost()) sink.gap(lines.position - position, at);
          position = lines.position;
        } else {
          readFramingLine(bytes, position);
          position = lines.position;
        }
      }
      return position;
    },
    gap(bytes, at) {
      sink.gap(bytes, at);
      if (state === 'data' && bytes <= remaining) {
        remaining -= bytes;
        if (remaining === 0) state = 'data_end';
      } else if (state !== 'ended') lose();
    },
    beginPiece() {
      if (state !== 'lost' || !(skipping || lines.partial === '')) return;
      lines.reset();
      skipping = false;
      plausible = true;
    },
  };
}
