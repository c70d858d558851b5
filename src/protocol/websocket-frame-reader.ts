import {
  type FrameHeader,
  type FrameRules,
  frameHeaderBytes,
  looksLikeFrames,
  MAX_HEADER_BYTES,
  readFrameHeader,
  unmask,
} from './websocket-frame.ts';

export interface FrameSink<At> {
  /** A frame began, with the first byte at `start`. */
  begin(header: FrameHeader, at: At, start: At): void;
  /** In plain, of the frame that began last. */
  payload(data: Uint8Array, at: At): void;
  /** `bytes` of the payload are missing. */
  gap(bytes: number, at: At): void;
  end(at: At): void;
  /** The place in the stream is lost, with whatever was begun; frames are looked for from the next piece on. */
  lost(reason: 'lost_bytes' | 'malformed', bytes: number, at: At): void;
  /** Bytes were passed over in search of a frame. */
  skipped(bytes: number, at: At): void;
}

export interface FrameReader<At> {
  push(bytes: Uint8Array, at: At): void;
  gap(bytes: number, at: At): void;
  /** Ignores all that comes. */
  stop(): void;
  /** What comes next belongs to no frame that was begun, as far as is known. */
  readonly between_frames: boolean;
}

/** A frame that is longer is not looked for where the place is lost. */
const LIKELY_FRAME_BYTES = 2 ** 26;

/** Reads the frames of one direction of a WebSocket, fed with pieces of any size. `joined`: its beginning was not seen. */
export function createFrameReader<At>(rules: FrameRules, joined: boolean, sink: FrameSink<At>): FrameReader<At> {
  const begun = new Uint8Array(MAX_HEADER_BYTES);
  let begun_bytes = 0;
  let start: At;
  let frame: FrameHeader | undefined;
  let position = 0;
  let state: 'frames' | 'lost' | 'stopped' = joined ? 'lost' : 'frames';

  const lose = (reason: 'lost_bytes' | 'malformed', bytes: number, at: At): void => {
    state = 'lost';
    frame = undefined;
    begun_bytes = 0;
    sink.lost(reason, bytes, at);
  };
  const advance = (bytes: number, at: At): void => {
    position += bytes;
    if (frame === undefined || position < frame.payload_bytes) return;
    frame = undefined;
    sink.end(at);
  };
  /** How much of `bytes` belongs to the header; the frame begins with its last byte. */
  const readHeader = (bytes: Uint8Array, from: number, at: At): number => {
    if (begun_bytes === 0) start = at;
    let used = from;
    for (;;) {
      const wanted = frameHeaderBytes(begun.subarray(0, begun_bytes)) ?? 2;
      if (begun_bytes === wanted) break;
      if (used === bytes.length) return used;
      begun[begun_bytes++] = bytes[used++] as number;
    }
    const header = readFrameHeader(begun.subarray(0, begun_bytes), rules);
    begun_bytes = 0;
    if (header === undefined) {
      lose('malformed', bytes.length - from, at);
      return bytes.length;
    }
    frame = header;
    position = 0;
    sink.begin(header, at, start);
    if (state === 'frames') advance(0, at);
    return used;
  };

  return {
    get between_frames() {
      return frame === undefined && begun_bytes === 0;
    },
    push(bytes, at) {
      if (state === 'lost' && looksLikeFrames(bytes, rules, LIKELY_FRAME_BYTES)) state = 'frames';
      if (state === 'lost') sink.skipped(bytes.length, at);
      for (let from = 0; from < bytes.length && state === 'frames'; ) {
        if (frame === undefined) {
          from = readHeader(bytes, from, at);
          continue;
        }
        const stop = Math.min(bytes.length, from + frame.payload_bytes - position);
        sink.payload(unmask(bytes.subarray(from, stop), frame.mask, position), at);
        advance(stop - from, at);
        from = stop;
      }
    },
    gap(bytes, at) {
      if (state !== 'frames') return;
      const left = frame === undefined ? 0 : frame.payload_bytes - position;
      if (bytes === 0 || bytes > left) {
        lose('lost_bytes', bytes, at);
        return;
      }
      sink.gap(bytes, at);
      advance(bytes, at);
    },
    stop() {
      state = 'stopped';
      frame = undefined;
      begun_bytes = 0;
    },
  };
}
