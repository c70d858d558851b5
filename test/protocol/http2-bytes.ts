/** Writes HTTP/2, frame by frame. */

export type Fields = Readonly<Record<string, string>>;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const END_STREAM = 1;
const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 32;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUInt32BE(body.length << 8);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** Literal fields, not indexed. */
export function fieldBlock(fields: Fields): Buffer {
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => literalField(0x00, name, value)));
}

/** Literal fields, indexed: the last one has index 62 then. */
export function indexedFieldBlock(fields: Fields): Buffer {
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => literalField(0x40, name, value)));
}

function literalField(kind: number, name: string, value: string): Buffer[] {
  return [Buffer.from([kind]), stringLiteral(name), stringLiteral(value)];
}

function stringLiteral(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length =
    bytes.length < 127 ? [bytes.length] : [127, ((bytes.length - 127) & 127) | 128, (bytes.length - 127) >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}

export function headers(stream: number, fields: Fields, flags = END_HEADERS): Buffer {
  return frame(1, flags, stream, fieldBlock(fields));
}

/** `POST /v1/chat` unless `fields` say otherwise. */
export function requestHeaders(stream: number, fields: Fields = {}, flags = END_HEADERS): Buffer {
  const pseudo = { ':method': 'POST', ':scheme': 'https', ':path': '/v1/chat', ':authority': 'llm.example:8443' };
  return headers(stream, { ...pseudo, ...fields }, flags);
}

export function data(stream: number, payload: Uint8Array | string, flags = 0): Buffer {
  return frame(0, flags, stream, payload);
}

/** With `padding` zeros, and the byte that says so. */
export function padded(payload: Uint8Array | string, padding: number): Buffer {
  return Buffer.concat([Buffer.from([padding]), Buffer.from(payload), Buffer.alloc(padding)]);
}

export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const payload = Buffer.concat(
    Object.entries(values).map(([id, value]) => {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(Number(id));
      setting.writeUInt32BE(value, 2);
      return setting;
    }),
  );
  return frame(4, 0, 0, payload);
}

export function reset(stream: number, error_code: number): Buffer {
  return frame(3, 0, stream, uint32(error_code));
}

export function goaway(last_stream: number, error_code: number): Buffer {
  return frame(7, 0, 0, Buffer.concat([uint32(last_stream), uint32(error_code)]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const SETTINGS_ACK = frame(4, ACK, 0);
export const CLIENT_BEGIN = Buffer.concat([PREFACE, settings({ 2: 0, 4: 1 << 20 }), frame(8, 0, 0, uint32(1 << 20))]);
export const SERVER_BEGIN = Buffer.concat([settings({ 3: 100 }), SETTINGS_ACK]);
