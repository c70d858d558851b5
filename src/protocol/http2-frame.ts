/** The frames of HTTP/2 (RFC 9113 section 4.1). */

/** The line with which an HTTP/2 client begins, and all that comes before its first frame (section 3.4). */
export const HTTP2_PREFACE_LINE = 'PRI * HTTP/2.0';
export const HTTP2_PREFACE: Uint8Array = Buffer.from(`${HTTP2_PREFACE_LINE}\r\n\r\nSM\r\n\r\n`);

export const FRAME_HEAD_BYTES = 9;

export const FRAME_TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push_promise: 5,
  ping: 6,
  goaway: 7,
  window_update: 8,
  continuation: 9,
} as const;

export const FRAME_FLAG = { end_stream: 1, ack: 1, end_headers: 4, padded: 8, priority: 32 } as const;

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  /** 0: the frame concerns the connection. */
  readonly stream: number;
  readonly payload_bytes: number;
}

interface FrameRule {
  readonly flags: number;
  /** Of the payload. */
  readonly min_bytes: number;
  readonly max_bytes: number;
  readonly of: 'stream' | 'connection' | 'either';
}

const ANY_BYTES = 2 ** 24 - 1;
/** By type (section 6). */
const RULES: readonly FrameRule[] = [
  { flags: 0x09, min_bytes: 0, max_bytes: ANY_BYTES, of: 'stream' },
  { flags: 0x2d, min_bytes: 0, max_bytes: ANY_BYTES, of: 'stream' },
  { flags: 0, min_bytes: 5, max_bytes: 5, of: 'stream' },
  { flags: 0, min_bytes: 4, max_bytes: 4, of: 'stream' },
  { flags: 0x01, min_bytes: 0, max_bytes: ANY_BYTES, of: 'connection' },
  { flags: 0x0c, min_bytes: 4, max_bytes: ANY_BYTES, of: 'stream' },
  { flags: 0x01, min_bytes: 8, max_bytes: 8, of: 'connection' },
  { flags: 0, min_bytes: 8, max_bytes: ANY_BYTES, of: 'connection' },
  { flags: 0, min_bytes: 4, max_bytes: 4, of: 'either' },
  { flags: 0x04, min_bytes: 0, max_bytes: ANY_BYTES, of: 'stream' },
];
const SETTING_BYTES = 6;
/** What a receiver allows unless it says otherwise (section 6.5.2). */
export const DEFAULT_PAYLOAD_BYTES = 1 << 14;
/** Where nothing is known of streams: few connections have so many. */
export const LIKELY_STREAM_LIMIT = 1 << 20;

export function parseFrameHead(bytes: Uint8Array, from: number): FrameHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, FRAME_HEAD_BYTES);
  return {
    payload_bytes: view.getUint32(0) >>> 8,
    type: view.getUint8(3),
    flags: view.getUint8(4),
    stream: view.getUint32(5) & 0x7fff_ffff,
  };
}

/** Is that what a frame may say? Types that are not known may say anything. */
export function isFrameHead({ type, flags, stream, payload_bytes }: FrameHead): boolean {
  const rule = RULES[type];
  if (rule === undefined) return true;
  if (payload_bytes < rule.min_bytes || payload_bytes > rule.max_bytes) return false;
  if (type === FRAME_TYPE.settings) {
    if (payload_bytes % SETTING_BYTES !== 0 || (flags & FRAME_FLAG.ack && payload_bytes > 0)) return false;
  }
  return rule.of === 'either' || (rule.of === 'connection') === (stream === 0);
}

/**
 * Does a frame begin at `from`, where anything could be? For finding frames among other bytes: frames that are allowed, but
 * say nothing or are rare, are not taken for one.
 */
export function likelyFrameHead(bytes: Uint8Array, from: number, max_payload_bytes: number): FrameHead | undefined {
  const type = bytes[from + 3] ?? 0xff;
  const rule = RULES[type];
  if (rule === undefined || ((bytes[from + 4] ?? 0) & ~rule.flags) !== 0 || (bytes[from + 5] ?? 0) > 0x7f)
    return undefined;
  const head = parseFrameHead(bytes, from);
  const is_pushed = head.stream > 0 && head.stream % 2 === 0;
  const says_nothing = type === FRAME_TYPE.data && head.payload_bytes === 0 && head.flags === 0;
  if (is_pushed || says_nothing || head.payload_bytes > max_payload_bytes) return undefined;
  return isFrameHead(head) ? head : undefined;
}

/** Do the bytes begin with a frame, and go on with another if they are long enough? */
export function startsWithHttp2Frame(bytes: Uint8Array): boolean {
  const head = bytes.length < FRAME_HEAD_BYTES ? undefined : likelyFrameHead(bytes, 0, DEFAULT_PAYLOAD_BYTES);
  if (head === undefined || head.stream > LIKELY_STREAM_LIMIT) return false;
  const next = FRAME_HEAD_BYTES + head.payload_bytes;
  return next + FRAME_HEAD_BYTES > bytes.length || likelyFrameHead(bytes, next, DEFAULT_PAYLOAD_BYTES) !== undefined;
}

/** Do the bytes begin with the first line of the preface? */
export function startsWithHttp2Preface(bytes: Uint8Array): boolean {
  const length = HTTP2_PREFACE_LINE.length;
  return bytes.length >= length && Buffer.compare(bytes.subarray(0, length), HTTP2_PREFACE.subarray(0, length)) === 0;
}
