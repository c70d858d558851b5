import zlib from 'node:zlib';

/** What was agreed on for compressed messages (RFC 7692 section 7.1). */
export interface DeflateTerms {
  /** Messages of the client do not refer to the ones before them. */
  readonly client_no_context_takeover: boolean;
  readonly server_no_context_takeover: boolean;
}

export interface MessageInflater {
  /** A whole compressed message in plain. Never more than `max_bytes`: one that would be more gives nothing. */
  inflate(data: Buffer, max_bytes: number): Buffer | 'too_large' | 'decompression';
  /** A compressed message passed that is not known. */
  lose(): void;
}

/** Taken off the end of every message (section 7.2.1). */
const TAIL = Buffer.from([0, 0, 255, 255]);
/** How far back any window reaches: a smaller one, which may be agreed on, never looks further. */
const MAX_WINDOW_BYTES = 32_768;
const EMPTY = Buffer.alloc(0);
/** A message that ends its deflate stream, and begins another, over and over. */
const MAX_STREAMS_PER_MESSAGE = 64;

/** The terms in the answer to an upgrade; undefined: messages are not compressed. */
export function deflateTerms(extensions: string | undefined): DeflateTerms | undefined {
  for (const offer of (extensions ?? '').toLowerCase().split(',')) {
    const [name, ...parameters] = offer.split(';').map((part) => part.trim());
    if (name !== 'permessage-deflate') continue;
    return {
      client_no_context_takeover: parameters.includes('client_no_context_takeover'),
      server_no_context_takeover: parameters.includes('server_no_context_takeover'),
    };
  }
  return undefined;
}

/**
 * Decompresses the messages of one direction, one after the other. What a message refers to but is not known, after a loss,
 * is an error of zlib's, never a wrong text: such a message cannot be read, and one that refers only to itself, or to what
 * came after the loss, can. The agreed size of the window need not be known for that.
 */
export function createMessageInflater(keeps_context: boolean): MessageInflater {
  /** The end of what all messages since the last loss said. */
  let window = EMPTY;

  const remember = (plain: Buffer): void => {
    if (!keeps_context) return;
    if (plain.length >= MAX_WINDOW_BYTES) window = Buffer.from(plain.subarray(-MAX_WINDOW_BYTES));
    else window = Buffer.concat([window.subarray(-(MAX_WINDOW_BYTES - plain.length)), plain]);
  };
  return {
    inflate(data, max_bytes) {
      const parts: Buffer[] = [];
      let left_bytes = max_bytes;
      try {
        let rest = Buffer.concat([data, TAIL]);
        for (let count = 0; rest.length > 0; count++) {
          if (count >= MAX_STREAMS_PER_MESSAGE) throw new Error('too many streams');
          const { plain, used_bytes } = inflateRaw(rest, window, left_bytes);
          parts.push(plain);
          remember(plain);
          left_bytes -= plain.length;
          if (used_bytes === 0) break;
          rest = rest.subarray(used_bytes);
          // The stream ended before the message did (section 7.2.3.4): an empty block is all that follows, mostly.
          if (rest.length <= TAIL.length + 1) break;
        }
      } catch (error) {
        window = EMPTY;
        return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'decompression';
      }
      return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    },
    lose() {
      window = EMPTY;
    },
  };
}

function inflateRaw(data: Buffer, window: Buffer, max_bytes: number): { plain: Buffer; used_bytes: number } {
  const { buffer, engine } = zlib.inflateRawSync(data, {
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
    maxOutputLength: Math.max(1, max_bytes),
    info: true,
    ...(window.length > 0 && { dictionary: window }),
  }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  return { plain: buffer, used_bytes: engine.bytesWritten };
}
