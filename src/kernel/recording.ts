/**
 * The file that a recording is: `MAGIC`, u32 length and JSON header, then frames of u32 length, u8 type and payload; numbers are
 * little-endian. The last frame is an `end`: without it the recording was cut off.
 */
import type { Event } from '../model/event.ts';
import { layout_hash } from './events.gen.ts';
import { isFact } from './fact-shape.ts';

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

/** A fact as JSON; bigints, which JSON lacks, as `{"$ns": "..."}`. */
export function encodeFact(event: Event): Buffer {
  const text = JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'bigint' ? { $ns: value.toString() } : value,
  );
  return Buffer.from(text);
}

/** The fact again, or undefined for what is none. */
export function decodeFact(payload: Buffer): Event | undefined {
  try {
    const fact: unknown = JSON.parse(payload.toString('utf8'), (_, value: unknown) =>
      typeof value === 'object' && value !== null && '$ns' in value ? BigInt(String(value.$ns)) : value,
    );
    return isFact(fact) ? fact : undefined;
  } catch {
    return undefined;
  }
}
