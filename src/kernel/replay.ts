import fs from 'node:fs';
import type { Counters } from '../health/counters.ts';
import { SetupError } from '../model/setup-error.ts';
import { layout_hash } from './events.gen.ts';
import type { Intake } from './intake.ts';
import { decodeFact, FRAME, FRAME_HEADER_BYTES, MAGIC, MAX_FRAME_BYTES, type RecordingHeader } from './recording.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface ReplayOptions {
  readonly path: string;
  readonly counters: Counters;
  /** Told when the recording is cut off or damaged. */
  readonly warn: (message: string) => void;
}

/**
 * Gives a recording's records, facts and ticks to `intake` in their order, and leaves closing it to the caller. A recording
 * that was cut off is replayed as far as it goes (`replay.truncated`). Throws SetupError for what is no recording, or one of
 * another layout. Between chunks the event loop gets its turn.
 */
export async function replay(options: ReplayOptions, intake: Intake): Promise<void> {
  const { path, counters, warn } = options;
  let rest: Buffer = Buffer.alloc(0);
  let isHeaderRead = false;
  let isEnded = false;
  for await (const chunk of chunksOf(path)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!isHeaderRead) {
      const length = readHeader(path, rest);
      if (length === undefined) continue;
      isHeaderRead = true;
      rest = rest.subarray(length);
    }
    let at = 0;
    while (at + FRAME_HEADER_BYTES <= rest.length) {
      const length = rest.readUInt32LE(at);
      if (length > MAX_FRAME_BYTES) throw damaged(path);
      const start = at + FRAME_HEADER_BYTES;
      if (start + length > rest.length) break;
      isEnded = rest[at + 4] === FRAME.end;
      giveFrame(rest[at + 4], rest.subarray(start, start + length), intake, counters);
      at = start + length;
    }
    rest = rest.subarray(at);
  }
  if (!isHeaderRead) throw notARecording(path);
  if (!isEnded) {
    counters.lost('replay.truncated');
    warn(`The recording ${path} is cut off: this is what it holds`);
  }
}

/** Only what goes wrong with the file itself is told as such. */
async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* fs.createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (cause) {
    const { message } = cause as Error;
    throw new SetupError(`Cannot read the recording ${path}: ${message}`, 'Check the path.', { cause });
  }
}

function giveFrame(type: number | undefined, payload: Buffer, intake: Intake, counters: Counters): void {
  if (type === FRAME.record) {
    intake.pushRecord(payload);
  } else if (type === FRAME.tick && payload.length === 8) {
    intake.tick(payload.readBigUInt64LE());
  } else if (type === FRAME.fact) {
    const fact = decodeFact(payload);
    if (fact === undefined) counters.lost('replay.malformed_frame');
    else intake.pushFact(fact);
  } else if (type !== FRAME.end) {
    counters.lost('replay.malformed_frame');
  }
}

/** Length of the file's header, or undefined while it is not all there. */
function readHeader(path: string, bytes: Buffer): number | undefined {
  const known = Math.min(bytes.length, MAGIC.length);
  if (bytes.compare(MAGIC, 0, known, 0, known) !== 0) throw notARecording(path);
  if (bytes.length < MAGIC.length + 4) return undefined;
  const length = bytes.readUInt32LE(MAGIC.length);
  if (length > CHUNK_BYTES) throw damaged(path);
  const end = MAGIC.length + 4 + length;
  if (bytes.length < end) return undefined;
  let header: Partial<RecordingHeader> | null;
  try {
    header = JSON.parse(bytes.toString('utf8', MAGIC.length + 4, end));
  } catch {
    throw damaged(path);
  }
  if (header?.layout_hash !== layout_hash) {
    throw new SetupError(
      `The recording ${path} was made by another version, whose records look different`,
      'Replay it with the version that made it.',
    );
  }
  return end;
}

function notARecording(path: string): SetupError {
  return new SetupError(`${path} is not a recording`, 'Make one with `undersight record FILE`.');
}

function damaged(path: string): SetupError {
  return new SetupError(`The recording ${path} is damaged`, 'Record again.');
}
