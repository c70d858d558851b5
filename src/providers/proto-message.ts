import { type ProtoField, protoFields } from '../protocol/protobuf.ts';
import type { JsonObject } from './json-value.ts';

/** How one field is read: as a text, base64, number, truth, value of an enum, google.protobuf.Struct, or message. */
export type ProtoType =
  | 'string'
  | 'bytes'
  | 'int'
  | 'float'
  | 'bool'
  | 'struct'
  | readonly string[]
  | { readonly fields: ProtoSchema };

/** Fields by number: their names in JSON, with `[]` where there may be several. */
export type ProtoSchema = Readonly<Record<number, readonly [name: string, type: ProtoType]>>;

const DEPTH_LIMIT = 32;

/** A protobuf message as the JSON that the same API takes; fields that the schema lacks are left out. undefined: it is none. */
export function protoMessage(data: Buffer, schema: ProtoSchema, depth = 0): JsonObject | undefined {
  const fields = depth > DEPTH_LIMIT ? undefined : protoFields(data);
  if (fields === undefined) return undefined;
  const message: Record<string, unknown> = {};
  for (const field of fields) {
    const [name, type] = (Object.hasOwn(schema, field.number) ? schema[field.number] : undefined) ?? [];
    if (name === undefined || type === undefined) continue;
    const value = readValue(field, type, depth);
    if (value === undefined) continue;
    const plain = name.replace('[]', '');
    if (plain === name) message[name] = value;
    else message[plain] = [...((message[plain] as unknown[] | undefined) ?? []), value];
  }
  return message;
}

function readValue({ value }: ProtoField, type: ProtoType, depth: number): unknown {
  if (typeof value === 'bigint') {
    if (type === 'bool') return value !== 0n;
    if (type === 'int') return Number(BigInt.asIntN(64, value));
    return Array.isArray(type) ? (type[Number(value)] ?? String(value)) : undefined;
  }
  if (type === 'string') return value.toString('utf8');
  if (type === 'bytes') return value.toString('base64');
  // As decimal as it was written: 0.2, not 0.20000000298.
  if (type === 'float') return value.length === 4 ? Number(value.readFloatLE().toPrecision(7)) : undefined;
  if (type === 'struct') return readStruct(value, depth + 1);
  return typeof type === 'object' && 'fields' in type ? protoMessage(value, type.fields, depth + 1) : undefined;
}

/** google.protobuf.Struct: a map of names to values. */
function readStruct(data: Buffer, depth: number): JsonObject | undefined {
  const entries = protoMessage(data, { 1: ['entries[]', { fields: { 1: ['key', 'string'], 2: ['value', 'bytes'] } }] });
  if (depth > DEPTH_LIMIT || entries === undefined) return undefined;
  const list = (entries.entries ?? []) as readonly { key?: string; value?: string }[];
  return Object.fromEntries(
    list.map(({ key = '', value = '' }) => [key, readStructValue(Buffer.from(value, 'base64'), depth)]),
  );
}

function readStructValue(data: Buffer, depth: number): unknown {
  const [field] = protoFields(data) ?? [];
  if (field === undefined) return null;
  const { number, value } = field;
  if (typeof value === 'bigint') return number === 4 ? value !== 0n : null;
  if (number === 2) return value.length === 8 ? value.readDoubleLE() : null;
  if (number === 3) return value.toString('utf8');
  if (number === 5) return readStruct(value, depth + 1) ?? null;
  if (number !== 6 || depth > DEPTH_LIMIT) return null;
  return (protoFields(value) ?? []).flatMap((item) =>
    typeof item.value === 'bigint' ? [] : [readStructValue(item.value, depth + 1)],
  );
}
