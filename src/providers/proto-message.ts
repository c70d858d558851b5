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

export interface ProtoMessage {
  readonly json: JsonObject;
  /** It has more fields than are read. */
  readonly is_cut: boolean;
}

const DEPTH_LIMIT = 32;
/** Of a message with all that are in it: each becomes a value that is many times as large. */
const FIELD_LIMIT = 250_000;

/** A protobuf message as the JSON that the same API takes; fields that the schema lacks are left out. undefined: it is none. */
export function protoMessage(data: Buffer, schema: ProtoSchema): ProtoMessage | undefined {
  const reader = createMessageReader();
  const json = reader.message(data, schema, 0);
  return json === undefined ? undefined : { json, is_cut: reader.is_cut };
}

/** Reads one message and those in it, so many fields in all. */
function createMessageReader() {
  let fields_left = FIELD_LIMIT;
  let is_cut = false;

  const fieldsOf = (data: Buffer): readonly ProtoField[] | undefined => {
    const read = protoFields(data, fields_left);
    fields_left -= read?.fields.length ?? 0;
    is_cut ||= read?.is_cut === true;
    return read?.fields;
  };

  function message(data: Buffer, schema: ProtoSchema, depth: number): JsonObject | undefined {
    const fields = depth > DEPTH_LIMIT ? undefined : fieldsOf(data);
    if (fields === undefined) return undefined;
    const json: Record<string, unknown> = {};
    const lists = new Map<string, unknown[]>();
    for (const field of fields) {
      const [name, type] = (Object.hasOwn(schema, field.number) ? schema[field.number] : undefined) ?? [];
      if (name === undefined || type === undefined) continue;
      const value = readValue(field, type, depth);
      if (value === undefined) continue;
      if (!name.endsWith('[]')) json[name] = value;
      else if (lists.get(name)?.push(value) === undefined) {
        const list = [value];
        lists.set(name, list);
        json[name.slice(0, -2)] = list;
      }
    }
    return json;
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
    return typeof type === 'object' && 'fields' in type ? message(value, type.fields, depth + 1) : undefined;
  }

  /** google.protobuf.Struct: a map of names to values. */
  function readStruct(data: Buffer, depth: number): JsonObject | undefined {
    const entries = depth > DEPTH_LIMIT ? undefined : message(data, STRUCT, 0);
    if (entries === undefined) return undefined;
    const list = (entries.entries ?? []) as readonly { key?: string; value?: string }[];
    return Object.fromEntries(
      list.map(({ key = '', value = '' }) => [key, readStructValue(Buffer.from(value, 'base64'), depth)]),
    );
  }

  function readStructValue(data: Buffer, depth: number): unknown {
    const [field] = fieldsOf(data) ?? [];
    if (field === undefined) return null;
    const { number, value } = field;
    if (typeof value === 'bigint') return number === 4 ? value !== 0n : null;
    if (number === 2) return value.length === 8 ? value.readDoubleLE() : null;
    if (number === 3) return value.toString('utf8');
    if (number === 5) return readStruct(value, depth + 1) ?? null;
    if (number !== 6 || depth > DEPTH_LIMIT) return null;
    return (fieldsOf(value) ?? []).flatMap((item) =>
      typeof item.value === 'bigint' ? [] : [readStructValue(item.value, depth + 1)],
    );
  }

  return {
    message,
    get is_cut() {
      return is_cut;
    },
  };
}

const STRUCT: ProtoSchema = { 1: ['entries[]', { fields: { 1: ['key', 'string'], 2: ['value', 'bytes'] } }] };
