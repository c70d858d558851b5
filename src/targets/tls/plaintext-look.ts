/** What a piece of a TLS connection's plaintext looks like: `protocol` is sure, `implausible` is what no plaintext looks like. */
export type PlaintextLook = 'protocol' | 'implausible' | 'unclear';

const HTTP1 = /^(?:(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE) [!-~]|HTTP\/1\.[01] \d\d\d|PRI \* HTTP\/2)/;
const LOOKED_AT_BYTES = 64;
const LEAST_TEXT_BYTES = 16;
const MAX_TLS_RECORD_BYTES = 16384 + 2048;
const HTTP2_HEADER_BYTES = 9;
/** What a peer accepts unless it says otherwise, which few do (RFC 9113, 6.5.2). */
const MAX_HTTP2_FRAME_BYTES = 16384;

/** `data`: a piece as it begins; `lost_bytes`: of those that could not be read behind it. */
export function lookAtPlaintext(data: Uint8Array, lost_bytes: number): PlaintextLook {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length === 0) return lost_bytes > 0 ? 'implausible' : 'unclear';
  if (HTTP1.test(bytes.toString('latin1', 0, LOOKED_AT_BYTES)) || isHttp2(bytes)) return 'protocol';
  if (isTlsRecord(bytes) || isOneByte(bytes)) return 'implausible';
  return isText(bytes.subarray(0, LOOKED_AT_BYTES)) ? 'protocol' : 'unclear';
}

/** Ciphertext: a function below the TLS layer. RFC 8446, 5.1. */
function isTlsRecord(bytes: Buffer): boolean {
  const [type = 0, major = 0, minor = 0] = bytes;
  if (bytes.length < 5 || type < 0x14 || type > 0x17 || major !== 3 || minor > 4) return false;
  const length = bytes.readUInt16BE(3);
  return length > 0 && length <= MAX_TLS_RECORD_BYTES;
}

/** Memory that nobody wrote to. */
function isOneByte(bytes: Buffer): boolean {
  return bytes.length >= LEAST_TEXT_BYTES && bytes.every((byte) => byte === bytes[0]);
}

function isText(bytes: Buffer): boolean {
  if (bytes.length < LEAST_TEXT_BYTES) return false;
  const readable = bytes.filter((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  return readable.length >= bytes.length * 0.9;
}

/** Whole frames, each one possible, up to the last that may be cut. RFC 9113, 4.1 and 6. */
function isHttp2(bytes: Buffer): boolean {
  let at = 0;
  while (at + HTTP2_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const stream = bytes.readUInt32BE(at + 5);
    if (!isHttp2Frame(bytes[at + 3] ?? 0, length, stream)) return false;
    at += HTTP2_HEADER_BYTES + length;
  }
  return at > 0;
}

function isHttp2Frame(type: number, length: number, stream: number): boolean {
  if (stream > 0x7fffffff || length > MAX_HTTP2_FRAME_BYTES) return false;
  switch (type) {
    case 0: // DATA
    case 1: // HEADERS
    case 9: // CONTINUATION
      return stream > 0;
    case 2: // PRIORITY
      return stream > 0 && length === 5;
    case 3: // RST_STREAM
      return stream > 0 && length === 4;
    case 4: // SETTINGS
      return stream === 0 && length % 6 === 0;
    case 5: // PUSH_PROMISE
      return stream > 0 && length >= 4;
    case 6: // PING
      return stream === 0 && length === 8;
    case 7: // GOAWAY
      return stream === 0 && length >= 8;
    case 8: // WINDOW_UPDATE
      return length === 4;
    default:
      return false;
  }
}
