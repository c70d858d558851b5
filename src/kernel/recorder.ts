import fs from 'node:fs';
import type { Counters } from '../health/counters.ts';
import type { Intake } from './intake.ts';
import { openPrivateFile } from './private-file.ts';
import { encodeFact, encodeHeader, FRAME, FRAME_HEADER_BYTES } from './recording.ts';

const BUFFER_BYTES = 256 * 1024;

export interface RecorderOptions {
  readonly path: string;
  readonly counters: Counters;
  /** Told once when the disk is full, or fails. */
  readonly warn: (message: string) => void;
}

/**
 * A tap in front of `next`: what passes is also written to a file that only its owner can read, since it holds plaintext.
 * When the file cannot take more, the recording ends there (`recorder.lost_frames`) and the rest goes on. Throws SetupError
 * when the file cannot be made.
 */
export function createRecorder(options: RecorderOptions, next: Intake): Intake {
  const { counters } = options;
  const file = openPrivateFile(options.path);
  let isFailed = false;
  let used = 0;
  const buffer = Buffer.alloc(BUFFER_BYTES);

  const writeOut = (bytes: Uint8Array): void => {
    if (isFailed) return;
    try {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(file.fd, bytes, at);
    } catch (error) {
      isFailed = true;
      options.warn(`The recording ends early: ${(error as Error).message}`);
    }
  };
  const flush = (): void => {
    writeOut(buffer.subarray(0, used));
    used = 0;
  };
  const append = (bytes: Uint8Array): void => {
    if (bytes.length > BUFFER_BYTES - used) flush();
    if (bytes.length > BUFFER_BYTES) {
      writeOut(bytes);
      return;
    }
    buffer.set(bytes, used);
    used += bytes.length;
  };
  const frameHeader = Buffer.alloc(FRAME_HEADER_BYTES);
  const appendFrame = (type: number, payload: Uint8Array): void => {
    if (isFailed) {
      counters.lost('recorder.lost_frames');
      return;
    }
    frameHeader.writeUInt32LE(payload.length, 0);
    frameHeader[4] = type;
    append(frameHeader);
    append(payload);
  };

  append(encodeHeader());
  return {
    pushRecord(record) {
      appendFrame(FRAME.record, record);
      next.pushRecord(record);
    },
    pushFact(event) {
      appendFrame(FRAME.fact, encodeFact(event));
      next.pushFact(event);
    },
    tick(now_ns) {
      const payload = Buffer.alloc(8);
      payload.writeBigUInt64LE(now_ns);
      appendFrame(FRAME.tick, payload);
      next.tick(now_ns);
    },
    close() {
      appendFrame(FRAME.end, new Uint8Array(0));
      flush();
      file.close();
      return next.close?.();
    },
  };
}
