/** HTTP/2 is recognised, not read. */

/** The line with which an HTTP/2 client begins (RFC 9113 section 3.4). */
export const HTTP2_PREFACE_LINE = 'PRI * HTTP/2.0';

const FRAME_HEAD_BYTES = 9;
const MAX_FRAME_BYTES = 1 << 14;
const HIGHEST_FRAME_TYPE = 9;
/** SETTINGS, PING and GOAWAY belong to the connection, WINDOW_UPDATE to either, the rest to a stream. */
const CONNECTION_TYPES = new Set([4, 6, 7]);
const WINDOW_UPDATE = 8;
const FIXED_PAYLOAD_BYTES: Readonly<Record<number, number>> = { 2: 5, 3: 4, 6: 8, 8: 4 };

/** Do the bytes begin with the head of an HTTP/2 frame (RFC 9113 section 4.1)? */
export function startsWithHttp2Frame(bytes: Uint8Array): boolean {
  if (bytes.length < FRAME_HEAD_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEAD_BYTES);
  const payload_bytes = view.getUint32(0) >>> 8;
  const type = view.getUint8(3);
  const stream = view.getUint32(5);
  if (payload_bytes > MAX_FRAME_BYTES || type > HIGHEST_FRAME_TYPE || stream > 0x7fff_ffff) return false;
  if (payload_bytes !== (FIXED_PAYLOAD_BYTES[type] ?? payload_bytes)) return false;
  if (type === 4 && payload_bytes % 6 !== 0) return false;
  return type === WINDOW_UPDATE || CONNECTION_TYPES.has(type) === (stream === 0);
}
