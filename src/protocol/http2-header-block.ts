import { FRAME_FLAG, FRAME_TYPE, type FrameHead } from './http2-frame.ts';

/** A header block that is being collected: one HEADERS or PUSH_PROMISE frame, and CONTINUATION frames. */
export interface HeaderFragments<At> {
  readonly stream: number;
  readonly is_promise: boolean;
  readonly end_stream: boolean;
  readonly start: At;
  /** Adds the payload of a frame; undefined: bytes of it are missing. */
  add(frame: FrameHead, payload: Uint8Array | undefined): void;
  /** All of it; undefined: bytes are missing, it contradicts itself, or it is larger than allowed. */
  joined(): Uint8Array | undefined;
}

/** Of one block, encoded. */
const MAX_BLOCK_BYTES = 256 * 1024;
const PRIORITY_BYTES = 5;
const PROMISED_STREAM_BYTES = 4;

/** Collects the block that `frame` begins. */
export function createHeaderFragments<At>(frame: FrameHead, start: At): HeaderFragments<At> {
  let fragments: Uint8Array[] = [];
  let bytes = 0;
  let is_broken = false;
  return {
    stream: frame.stream,
    is_promise: frame.type === FRAME_TYPE.push_promise,
    end_stream: frame.type === FRAME_TYPE.headers && (frame.flags & FRAME_FLAG.end_stream) !== 0,
    start,
    add(from, payload) {
      const fragment = payload && fragmentOf(from, payload);
      bytes += fragment?.length ?? 0;
      if (fragment === undefined || bytes > MAX_BLOCK_BYTES) {
        is_broken = true;
        fragments = [];
      } else if (!is_broken && fragment.length > 0) fragments.push(fragment);
    },
    joined() {
      if (is_broken) return undefined;
      return fragments.length === 1 ? fragments[0] : Buffer.concat(fragments);
    },
  };
}

/** The payload without padding and fields (RFC 9113 sections 6.2, 6.6, 6.10); undefined when they leave nothing. */
function fragmentOf({ type, flags }: FrameHead, payload: Uint8Array): Uint8Array | undefined {
  if (type === FRAME_TYPE.continuation) return payload;
  const is_padded = (flags & FRAME_FLAG.padded) !== 0;
  let from = is_padded ? 1 : 0;
  if (type === FRAME_TYPE.push_promise) from += PROMISED_STREAM_BYTES;
  else if (flags & FRAME_FLAG.priority) from += PRIORITY_BYTES;
  const end = payload.length - (is_padded ? (payload[0] ?? 0) : 0);
  return from <= end ? payload.subarray(from, end) : undefined;
}
