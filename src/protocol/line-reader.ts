const LF = 10;
const CR = 13;

/** Cuts bytes into lines, across the borders of what it is fed. A line ends with LF or CRLF, and is read as Latin-1. */
export interface LineReader {
  /**
   * Reads on at `from`. Gives the line without its end, or undefined when it is not complete; `position` tells where
   * to go on in `bytes`. Of an incomplete line everything is kept for the next call.
   */
  read(bytes: Uint8Array, from: number): string | undefined;
  readonly position: number;
  /** What is known of the incomplete line. */
  readonly partial: string;
  /** The incomplete line is longer than allowed: `reset` it. */
  readonly overflow: boolean;
  /** The last complete line ended with CRLF. */
  readonly ended_with_crlf: boolean;
  reset(): void;
}

export function createLineReader(max_line_bytes: number): LineReader {
  let partial = '';
  let position = 0;
  let overflow = false;
  let ended_with_crlf = false;

  return {
    get position() {
      return position;
    },
    get partial() {
      return partial;
    },
    get overflow() {
      return overflow;
    },
    get ended_with_crlf() {
      return ended_with_crlf;
    },
    read(bytes, from) {
      const line_end = bytes.indexOf(LF, from);
      const end = line_end < 0 ? bytes.length : line_end;
      position = line_end < 0 ? end : end + 1;
      if (partial.length + end - from > max_line_bytes) {
        overflow = true;
        return undefined;
      }
      const text = partial + latin1(bytes, from, end);
      if (line_end < 0) {
        partial = text;
        return undefined;
      }
      partial = '';
      ended_with_crlf = text.charCodeAt(text.length - 1) === CR;
      return ended_with_crlf ? text.slice(0, -1) : text;
    },
    reset() {
      partial = '';
      overflow = false;
    },
  };
}

/** Bytes `from` to `end` as Latin-1: what HTTP's heads are made of (RFC 9112 section 2.2). */
export function latin1(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, end - from)).toString('latin1');
}
