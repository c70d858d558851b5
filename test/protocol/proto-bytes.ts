/** Writes protobuf, field by field, and gRPC's messages. */

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** Numbers are varints; texts, bytes and messages (lists of fields) are length-delimited. */
export function protoField(number: number, value: number | string | Uint8Array | readonly Buffer[]): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const body = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value as string | Uint8Array);
  return Buffer.concat([varint((number << 3) | 2), varint(body.length), body]);
}

export function floatField(number: number, value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeFloatLE(value);
  return Buffer.concat([varint((number << 3) | 5), body]);
}

export function doubleField(number: number, value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value);
  return Buffer.concat([varint((number << 3) | 1), body]);
}

/** `data` with the prefix that gRPC puts before it. */
export function grpcMessage(data: Uint8Array, is_compressed = false): Buffer {
  const prefix = Buffer.alloc(5, is_compressed ? 1 : 0);
  prefix.writeUInt32BE(data.length, 1);
  return Buffer.concat([prefix, data]);
}
