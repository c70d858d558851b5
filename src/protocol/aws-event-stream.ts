import { crc32 } from 'node:zlib';
import { createMessageBuffer, type MessageProgress } from './message-buffer.ts';

export interface AwsEvent {
  /** Those whose value is a text. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
}

export interface AwsEventStreamReader {
  push(bytes: Uint8Array): void;
  /** Bytes are missing: reading goes on at the next message. */
  gap(): void;
  /** Gives back what is held, and takes no more. */
  end(): void;
  /** Bytes of a message that is not complete. */
  readonly held_bytes: number;
}

export interface AwsEventStreamOptions {
  /** Of one message. A larger one is passed over. */
  readonly max_message_bytes: number;
  /** Asked before more bytes of an incomplete message are kept, and told of those given back (negative). */
  hold(bytes: number): boolean;
  message(event: AwsEvent): void;
  /** A message is passed over for its size, or for want of room. */
  tooLarge(): void;
  /** Bytes that belong to no message whose checksums are right. */
  malformed(bytes: number): void;
}

/** Total length, length of the headers, and the checksum of both. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LEAST_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;
/** Of a header's value, by its type: true, false, 1, 2, 4 and 8 bytes, bytes, text, time, UUID. */
const VALUE_BYTES: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
const TEXT = 7;

/**
 * Reads messages of `application/vnd.amazon.eventstream` (Smithy 2.0, "Amazon Event Stream specification"), fed with bytes cut
 * anywhere. Where a prelude's checksum is wrong, or bytes are missing, the next whose checksum is right begins a message; a
 * message whose own checksum is wrong is passed over.
 */
export function createAwsEventStreamReader(options: AwsEventStreamOptions): AwsEventStreamReader {
  /** How long the message that begins here is; undefined: none does. */
  const messageBytes = (data: Buffer, at: number): number | undefined => {
    const total = data.readUInt32BE(at);
    const is_sound = total >= LEAST_BYTES && data.readUInt32BE(at + 4) <= total - LEAST_BYTES;
    return is_sound && crc32(data.subarray(at, at + 8)) === data.readUInt32BE(at + 8) ? total : undefined;
  };
  const read = (data: Buffer): boolean => {
    const body = data.subarray(0, data.length - CHECKSUM_BYTES);
    if (crc32(body) !== data.readUInt32BE(body.length)) return false;
    const headers_end = PRELUDE_BYTES + data.readUInt32BE(4);
    const headers = readHeaders(body.subarray(PRELUDE_BYTES, headers_end));
    if (headers === undefined) return false;
    options.message({ headers, payload: body.subarray(headers_end) });
    return true;
  };
  const drain = (all: Buffer): MessageProgress => {
    let at = 0;
    let bad_bytes = 0;
    let needed_bytes = PRELUDE_BYTES;
    while (all.length - at >= PRELUDE_BYTES) {
      const total = messageBytes(all, at);
      if (total === undefined) {
        at++;
        bad_bytes++;
        continue;
      }
      if (total > options.max_message_bytes) options.tooLarge();
      else if (all.length - at < total) {
        needed_bytes = total;
        break;
      }
      // Nothing in it is looked at again: each byte is summed up once.
      else if (!read(all.subarray(at, at + total))) bad_bytes += total;
      at += total;
    }
    if (bad_bytes > 0) options.malformed(bad_bytes);
    return { read_bytes: at, needed_bytes };
  };
  const buffer = createMessageBuffer({
    head_bytes: PRELUDE_BYTES,
    hold: options.hold,
    read: drain,
    noRoom: options.tooLarge,
  });

  return {
    push: buffer.push,
    gap: buffer.clear,
    end: buffer.end,
    get held_bytes() {
      return buffer.held_bytes;
    },
  };
}

/** undefined: it does not come out even. */
function readHeaders(data: Buffer): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < data.length) {
    const name_end = at + 1 + (data[at] ?? 0);
    const type = data[name_end];
    if (type === undefined || type >= VALUE_BYTES.length) return undefined;
    const fixed_bytes = VALUE_BYTES[type];
    const value_start = name_end + (fixed_bytes === undefined ? 3 : 1);
    if (value_start > data.length) return undefined;
    const value_end = value_start + (fixed_bytes ?? data.readUInt16BE(name_end + 1));
    if (value_end > data.length) return undefined;
    if (type === TEXT) {
      headers.set(data.toString('utf8', at + 1, name_end), data.toString('utf8', value_start, value_end));
    }
    at = value_end;
  }
  return headers;
}
