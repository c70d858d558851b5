import {
  DEFAULT_PAYLOAD_BYTES,
  FRAME_FLAG,
  FRAME_HEAD_BYTES,
  FRAME_TYPE,
  type FrameHead,
  HTTP2_PREFACE,
  isFrameHead,
  likelyFrameHead,
  parseFrameHead,
} from './http2-frame.ts';

/** What the reader tells; `At` is whatever the caller knows of the piece a byte came in. */
export interface Http2FrameSink<At> {
  /** A frame began, with its first byte at `start`. */
  begin(frame: FrameHead, at: At, start: At): void;
  payload(data: Uint8Array, at: At): void;
  payloadGap(bytes: number, at: At): void;
  end(at: At): void;
  /** The place is lost: bytes are missing, and whole frames may be among them. */
  lost(bytes: number, at: At): void;
  /** Bytes that are in no frame, as far as can be told. */
  skipped(bytes: number, at: At): void;
  /** The direction begins with the client's preface. */
  preface(at: At): void;
  /** Are frames of that stream to be expected? undefined: they are possible. */
  isLikelyStream(stream: number): boolean | undefined;
}

export interface Http2FrameReader<At> {
  push(bytes: Uint8Array, at: At): void;
  gap(bytes: number, at: At): void;
  /** The receiver takes payloads of that size. */
  allow(payload_bytes: number): void;
  /** The next byte is not part of a frame that was begun, as far as is known. */
  readonly between: boolean;
}

/** Most receivers allow less; with more, a length that was read at a wrong place could swallow too much. */
const MAX_PAYLOAD_BYTES = 1 << 20;

/**
 * Cuts one direction of an HTTP/2 connection into frames, fed with pieces of any size. Where the place is lost it looks for
 * what begins like a frame. `joined`: the beginning was not seen, the first piece may begin anywhere.
 */
export function createHttp2FrameReader<At>(joined: boolean, sink: Http2FrameSink<At>): Http2FrameReader<At> {
  let state: 'start' | 'preface' | 'head' | 'payload' | 'lost' = 'start';
  /** The bytes of a head that is not complete; where the place is lost, those that may belong to one. */
  let held: Uint8Array = new Uint8Array(0);
  let start: At;
  let remaining = 0;
  let preface_bytes = 0;
  let must_be_settings = !joined;
  /** The place was found again, but no second frame has shown yet that it is the right one. */
  let is_doubtful = false;
  let max_payload_bytes = MAX_PAYLOAD_BYTES;
  let likely_payload_bytes = DEFAULT_PAYLOAD_BYTES;

  const seek = (): void => {
    state = 'lost';
    held = held.subarray(0, 0);
    must_be_settings = false;
  };
  const endPayload = (at: At): void => {
    state = 'head';
    sink.end(at);
  };
  const beginFrame = (head: FrameHead, at: At): void => {
    state = 'payload';
    held = held.subarray(0, 0);
    remaining = head.payload_bytes;
    must_be_settings = false;
    is_doubtful = false;
    sink.begin(head, at, start);
    if (remaining === 0) endPayload(at);
  };
  const readStart = (bytes: Uint8Array): number => {
    if (bytes[0] === HTTP2_PREFACE[0]) state = 'preface';
    else state = joined ? 'lost' : 'head';
    return 0;
  };
  const readPreface = (bytes: Uint8Array, from: number, at: At): number => {
    let position = from;
    while (position < bytes.length && preface_bytes < HTTP2_PREFACE.length) {
      if (bytes[position] !== HTTP2_PREFACE[preface_bytes]) {
        seek();
        sink.skipped(preface_bytes, at);
        return position;
      }
      position++;
      preface_bytes++;
    }
    if (preface_bytes === HTTP2_PREFACE.length) {
      state = 'head';
      must_be_settings = true;
      sink.preface(at);
    }
    return position;
  };
  const likelyHead = (bytes: Uint8Array, from: number, max_bytes = max_payload_bytes): FrameHead | undefined => {
    const head = likelyFrameHead(bytes, from, max_bytes);
    return head === undefined || (head.stream > 0 && sink.isLikelyStream(head.stream) === false) ? undefined : head;
  };
  const readHead = (bytes: Uint8Array, from: number, at: At): number => {
    if (held.length === 0) start = at;
    const missing = FRAME_HEAD_BYTES - held.length;
    if (from + missing > bytes.length) {
      held = joinedBytes(held, bytes.subarray(from));
      return bytes.length;
    }
    const head_bytes = joinedBytes(held, bytes.subarray(from, from + missing));
    const head = parseFrameHead(head_bytes, 0);
    const is_settings = head.type === FRAME_TYPE.settings && (head.flags & FRAME_FLAG.ack) === 0;
    const is_frame = is_doubtful ? likelyHead(head_bytes, 0) !== undefined : isFrameHead(head);
    if (is_frame && head.payload_bytes <= max_payload_bytes && (is_settings || !must_be_settings)) {
      beginFrame(head, at);
    } else {
      seek();
      sink.lost(0, at);
      sink.skipped(1, at);
      held = head_bytes.subarray(1);
    }
    return from + missing;
  };
  const readPayload = (bytes: Uint8Array, from: number, at: At): number => {
    const stop = Math.min(bytes.length, from + remaining);
    remaining -= stop - from;
    sink.payload(bytes.subarray(from, stop), at);
    if (remaining === 0) endPayload(at);
    return stop;
  };

  /**
   * Is it a frame? What follows shows that. If nothing does, it may be one where a piece begins, of the connection, or of a
   * stream of which frames are expected.
   */
  const judge = (head: FrameHead, bytes: Uint8Array, from: number, at_piece: boolean): 'yes' | 'maybe' | 'no' => {
    const next = from + FRAME_HEAD_BYTES + head.payload_bytes;
    if (next === bytes.length) return 'yes';
    if (next + FRAME_HEAD_BYTES <= bytes.length) return likelyHead(bytes, next) === undefined ? 'no' : 'yes';
    return at_piece || head.stream === 0 || sink.isLikelyStream(head.stream) === true ? 'maybe' : 'no';
  };
  /** Where the first frame begins for which most speaks; undefined: nowhere. */
  const findFrame = (bytes: Uint8Array, piece_from: number): number | undefined => {
    let possible: number | undefined;
    for (let position = 0; position + FRAME_HEAD_BYTES <= bytes.length; position++) {
      const head = likelyHead(bytes, position, likely_payload_bytes);
      const verdict = head === undefined ? 'no' : judge(head, bytes, position, position === piece_from);
      if (verdict === 'yes') return position;
      if (verdict === 'maybe') possible ??= position;
    }
    return possible;
  };
  const readLost = (bytes: Uint8Array, from: number, at: At): number => {
    if (held.length === 0) start = at;
    const held_bytes = held.length;
    const rest = joinedBytes(held, bytes.subarray(from));
    const found = findFrame(rest, from === 0 ? held_bytes : -1);
    if (found === undefined) {
      const kept = Math.min(rest.length, FRAME_HEAD_BYTES - 1);
      if (rest.length > kept) sink.skipped(rest.length - kept, at);
      held = rest.subarray(rest.length - kept);
      return bytes.length;
    }
    if (found > 0) sink.skipped(found, at);
    if (found >= held_bytes) start = at;
    beginFrame(parseFrameHead(rest, found), at);
    is_doubtful = true;
    return from - held_bytes + found + FRAME_HEAD_BYTES;
  };
  /** A piece that begins like a frame, where a doubtful frame should go on, shows that that was none. */
  const reconsider = (bytes: Uint8Array, at: At): void => {
    const head = bytes.length < FRAME_HEAD_BYTES ? undefined : likelyHead(bytes, 0, likely_payload_bytes);
    if (head === undefined || judge(head, bytes, 0, false) !== 'yes') return;
    seek();
    sink.lost(0, at);
  };

  return {
    get between() {
      return state === 'start' || state === 'lost' || (state === 'head' && held.length === 0);
    },
    push(bytes, at) {
      if (is_doubtful && state === 'payload') reconsider(bytes, at);
      for (let from = 0; from < bytes.length; ) {
        if (state === 'payload') from = readPayload(bytes, from, at);
        else if (state === 'head') from = readHead(bytes, from, at);
        else if (state === 'lost') from = readLost(bytes, from, at);
        else from = state === 'start' ? readStart(bytes) : readPreface(bytes, from, at);
      }
    },
    gap(bytes, at) {
      let missing = bytes;
      if (state === 'payload') {
        const inside = Math.min(remaining, bytes);
        missing -= inside;
        remaining -= inside;
        sink.payloadGap(inside, at);
        if (remaining === 0) endPayload(at);
      }
      if (missing === 0) return;
      const held_bytes = held.length;
      seek();
      sink.lost(missing + held_bytes, at);
    },
    allow(payload_bytes) {
      max_payload_bytes = Math.max(max_payload_bytes, payload_bytes);
      likely_payload_bytes = Math.max(likely_payload_bytes, payload_bytes);
    },
  };
}

function joinedBytes(first: Uint8Array, second: Uint8Array): Uint8Array {
  return first.length === 0 ? second : Buffer.concat([first, second]);
}
