import { crc32 } from 'node:zlib';

type HeaderValue = string | boolean | number | Uint8Array;

function header(name: string, value: HeaderValue): Buffer {
  const title = Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name)]);
  if (typeof value === 'boolean') return Buffer.concat([title, Buffer.from([value ? 0 : 1])]);
  if (typeof value === 'number') {
    const body = Buffer.alloc(5, 4);
    body.writeInt32BE(value, 1);
    return Buffer.concat([title, body]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const length = Buffer.alloc(3, typeof value === 'string' ? 7 : 6);
  length.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([title, length, bytes]);
}

function withChecksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return Buffer.concat([bytes, sum]);
}

/** One message of an Amazon event stream. */
export function awsMessage(headers: Readonly<Record<string, HeaderValue>>, payload: Uint8Array): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(16 + head.length + payload.length);
  lengths.writeUInt32BE(head.length, 4);
  return withChecksum(Buffer.concat([withChecksum(lengths), head, payload]));
}

/** An event, as Bedrock sends it. */
export function awsEvent(name: string, payload: unknown): Buffer {
  const headers = { ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' };
  return awsMessage(headers, Buffer.from(JSON.stringify(payload)));
}

export function awsException(name: string, message: string): Buffer {
  const headers = { ':exception-type': name, ':content-type': 'application/json', ':message-type': 'exception' };
  return awsMessage(headers, Buffer.from(JSON.stringify({ message })));
}
