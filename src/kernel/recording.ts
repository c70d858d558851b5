/**
 * The file that a recording is: `MAGIC`, u32 length and JSON header, then frames of u32 length, u8 type and payload; numbers are
 * little-endian. The last frame is an `end`: without it the recording was cut off.
 */
import type { Event } from '../model/event.ts';
import { layout_hash } from './events.gen.ts';

export const MAGIC = Buffer.from('UNDERSIGHT\0\x01', 'latin1');
export const FRAME_HEADER_BYTES = 5;
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export const FRAME = { record: 1, fact: 2, tick: 3, end: 4 } as const;

export interface RecordingHeader {
  readonly layout_hash: string;
}

export function encodeHeader(): Buffer {
  const header: RecordingHeader = { layout_hash };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([MAGIC, length, text]);
}

/** A fact as JSON; bigints and bytes, which JSON lacks, as `{"$ns": "..."}` and `{"$bytes": base64}`. */
export function encodeFact(event: Event): Buffer {
  const text = JSON.stringify(event, (_, value: unknown) => {
    if (typeof value === 'bigint') return { $ns: value.toString() };
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
    return value;
  });
  return Buffer.from(text);
}

/** The fact again, or undefined for what is none. */
export function decodeFact(payload: Buffer): Event | undefined {
  try {
    const fact: Partial<Event> | null = JSON.parse(payload.toString('utf8'), (_, value: unknown) => {
      if (typeof value !== 'object' || value === null) return value;
      if ('$ns' in value) return BigInt(String(value.$ns));
      if ('$bytes' in value) return new Uint8Array(Buffer.from(String(value.$bytes), 'base64'));
      return value;
    });
    return typeof fact?.kind === 'string' && typeof fact.ktime_ns === 'bigint' ? (fact as Event) : undefined;
  } catch {
    return undefined;
  }
}
