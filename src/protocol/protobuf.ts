/** A field of a message: a varint, or its bytes (fixed32, fixed64, length-delimited). */
export interface ProtoField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const VARINT_BYTES = 10;

export interface ProtoFields {
  readonly fields: readonly ProtoField[];
  /** There are more than `max_fields`. */
  readonly is_cut: boolean;
}

/** The fields of a message in their order (Protocol Buffers, "Encoding"); undefined: it is none. Groups are none either. */
export function protoFields(data: Buffer, max_fields: number): ProtoFields | undefined {
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let count = 0; count < VARINT_BYTES; count++) {
      const byte = data[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 127) << BigInt(7 * count);
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return undefined;
  };
  const bytes = (length: number): Buffer | undefined => {
    if (length > data.length - at) return undefined;
    at += length;
    return data.subarray(at - length, at);
  };
  while (at < data.length && fields.length < max_fields) {
    const tag = varint();
    if (tag === undefined || tag < 8n || tag > 0xffff_ffffn) return undefined;
    const value = read(Number(tag & 7n));
    if (value === undefined) return undefined;
    fields.push({ number: Number(tag >> 3n), value });
  }
  return { fields, is_cut: at < data.length };

  function read(wire_type: number): bigint | Buffer | undefined {
    switch (wire_type) {
      case VARINT:
        return varint();
      case FIXED64:
        return bytes(8);
      case FIXED32:
        return bytes(4);
      case DELIMITED: {
        const length = varint();
        return length === undefined || length > BigInt(data.length) ? undefined : bytes(Number(length));
      }
      default:
        return undefined;
    }
  }
}
