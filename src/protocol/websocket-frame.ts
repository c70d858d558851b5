/** Frames of the WebSocket protocol (RFC 6455 section 5.2). */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameHeader {
  readonly fin: boolean;
  /** The first frame of a message that permessage-deflate compressed (RFC 7692 section 6). */
  readonly rsv1: boolean;
  readonly opcode: number;
  readonly payload_bytes: number;
  /** undefined: not masked, as a server's frames are. */
  readonly mask: Uint8Array | undefined;
  readonly header_bytes: number;
}

/** What frames of one direction may look like. */
export interface FrameRules {
  /** A client masks every frame, a server none (section 5.1). */
  readonly masked: boolean;
  /** Messages may be compressed. */
  readonly compressible: boolean;
}

const MAX_CONTROL_BYTES = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
export const MAX_HEADER_BYTES = 14;

/** The length that a header which begins with these bytes has; undefined: fewer than 2 are known. */
export function frameHeaderBytes(bytes: Uint8Array): number | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const length = second & 127;
  const length_bytes = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
  return 2 + length_bytes + (second & 128 ? 4 : 0);
}

/** Reads a whole header at the beginning of `bytes`; undefined when it breaks the rules. */
export function readFrameHeader(bytes: Uint8Array, rules: FrameRules): FrameHeader | undefined {
  const [first = 0, second = 0] = bytes;
  const fin = (first & 128) !== 0;
  const rsv1 = (first & 64) !== 0;
  const opcode = first & 15;
  const is_data = opcode === OPCODE.text || opcode === OPCODE.binary;
  const is_control = opcode >= OPCODE.close && opcode <= OPCODE.pong;
  if ((first & 48) !== 0 || !(is_data || is_control || opcode === OPCODE.continuation)) return undefined;
  if ((rsv1 && !(rules.compressible && is_data)) || ((second & 128) !== 0) !== rules.masked) return undefined;
  const payload_bytes = payloadBytes(bytes);
  if (payload_bytes === undefined || (is_control && (!fin || payload_bytes > MAX_CONTROL_BYTES))) return undefined;
  const header_bytes = frameHeaderBytes(bytes) ?? 0;
  const mask = rules.masked ? bytes.slice(header_bytes - 4, header_bytes) : undefined;
  return { fin, rsv1, opcode, payload_bytes, mask, header_bytes };
}

/** undefined: longer than can be, or not written in the shortest way. */
function payloadBytes(bytes: Uint8Array): number | undefined {
  const short = (bytes[1] ?? 0) & 127;
  if (short < LENGTH_16) return short;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (short === LENGTH_16) {
    const length = view.getUint16(2);
    return length < LENGTH_16 ? undefined : length;
  }
  const length = view.getBigUint64(2);
  return length <= 0xffffn || length > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(length);
}

/** The payload in plain. `offset`: the position of `data` in its frame. */
export function unmask(data: Uint8Array, mask: Uint8Array | undefined, offset: number): Uint8Array {
  if (mask === undefined) return data;
  const plain = new Uint8Array(data.length);
  const key = [0, 1, 2, 3].map((index) => mask[(offset + index) & 3] ?? 0);
  const [a = 0, b = 0, c = 0, d = 0] = key;
  const whole = data.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    plain[at] = (data[at] as number) ^ a;
    plain[at + 1] = (data[at + 1] as number) ^ b;
    plain[at + 2] = (data[at + 2] as number) ^ c;
    plain[at + 3] = (data[at + 3] as number) ^ d;
  }
  for (let at = whole; at < data.length; at++) plain[at] = (data[at] as number) ^ (key[at & 3] as number);
  return plain;
}

/**
 * Does a written piece look as if it came on a WebSocket whose handshake was not seen? Only one of whole frames, the first
 * of them a message, is taken for that.
 */
export function startsWithWebSocketFrame(piece: Uint8Array): boolean {
  const opcode = (piece[0] ?? 0) & 15;
  if (opcode !== OPCODE.text && opcode !== OPCODE.binary) return false;
  let at = 0;
  while (at < piece.length) {
    const rest = piece.subarray(at, at + MAX_HEADER_BYTES);
    const header_bytes = frameHeaderBytes(rest);
    if (header_bytes === undefined || rest.length < header_bytes) return false;
    const header = readFrameHeader(rest, { masked: true, compressible: true });
    if (header === undefined) return false;
    at += header.header_bytes + header.payload_bytes;
  }
  return at === piece.length;
}

/**
 * Does a piece look as if it began with a frame, where the place in the stream is not known? All frames in it have to be
 * well-formed, and at least one of them a message, or a whole one; the last may go on in the next piece.
 */
export function looksLikeFrames(piece: Uint8Array, rules: FrameRules, max_payload_bytes: number): boolean {
  let at = 0;
  let is_inside = false;
  for (let count = 0; at < piece.length; count++) {
    const rest = piece.subarray(at, at + MAX_HEADER_BYTES);
    const header_bytes = frameHeaderBytes(rest);
    if (header_bytes === undefined || rest.length < header_bytes) return count > 0;
    const header = readFrameHeader(rest, rules);
    if (header === undefined || header.payload_bytes > max_payload_bytes) return false;
    const is_first = header.opcode === OPCODE.text || header.opcode === OPCODE.binary;
    const is_continuation = header.opcode === OPCODE.continuation;
    if ((is_continuation && !is_inside) || (is_first && is_inside)) return false;
    if (is_first || is_continuation) is_inside = !header.fin;
    at += header.header_bytes + header.payload_bytes;
  }
  return at > 0;
}
