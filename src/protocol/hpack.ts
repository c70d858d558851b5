import { decodeHuffman } from './hpack-huffman.ts';
import type { HeaderField } from './hpack-static-table.ts';
import { createHpackTable, DEFAULT_TABLE_BYTES } from './hpack-table.ts';
import { latin1 } from './line-reader.ts';

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** Why `fields` are not all. `malformed`: they are those before the defect. */
  readonly problem: 'malformed' | 'too_large' | undefined;
}

export interface HpackDecoder {
  /** Reads one whole header block. Of a field that was sent before we joined, what is not known is undefined. */
  decode(block: Uint8Array): HeaderBlock;
  /** Header blocks were missed. */
  lose(): void;
  /** The receiver's SETTINGS_HEADER_TABLE_SIZE, from the next block on; undefined: not known. */
  allow(table_bytes: number | undefined): void;
}

/** Of the names and values of one block. */
const MAX_LIST_BYTES = 256 * 1024;
const FIELD_OVERHEAD_BYTES = 32;
const MAX_INTEGER = 2 ** 31;

/** An integer (RFC 7541 section 5.1) or a string (5.2), and where it ends. */
interface Read<Value> {
  readonly value: Value;
  readonly end: number;
}

/**
 * Decodes the header blocks of one direction of an HTTP/2 connection (RFC 7541). `joined`: it was not seen from its
 * beginning.
 */
export function createHpackDecoder(joined: boolean): HpackDecoder {
  const table = createHpackTable(joined);
  let allowed_bytes = joined ? undefined : (DEFAULT_TABLE_BYTES as number | undefined);

  const readSizeUpdate = (block: Uint8Array, from: number): number | undefined => {
    const size = readInteger(block, from, 5);
    if (size === undefined || size.value > (allowed_bytes ?? size.value)) return undefined;
    table.limit(size.value);
    return size.end;
  };
  const readLiteral = (block: Uint8Array, from: number, prefix_bits: number): Read<HeaderField> | undefined => {
    const index = readInteger(block, from, prefix_bits);
    if (index === undefined) return undefined;
    const named = index.value === 0 ? readString(block, index.end) : undefined;
    const entry = index.value === 0 ? undefined : table.at(index.value);
    if (named === undefined && entry === undefined) return undefined;
    const value = readString(block, named?.end ?? index.end);
    if (value === undefined) return undefined;
    return { value: { name: named?.value ?? entry?.name, value: value.value }, end: value.end };
  };
  const readField = (block: Uint8Array, from: number): Read<HeaderField> | undefined => {
    const first = block[from] ?? 0;
    if (first >= 0x80) {
      const index = readInteger(block, from, 7);
      const entry = index && table.at(index.value);
      return entry && { value: entry, end: index.end };
    }
    if (first < 0x40) return readLiteral(block, from, 4);
    const field = readLiteral(block, from, 6);
    if (field !== undefined) table.insert(field.value);
    return field;
  };
  const decoder: HpackDecoder = {
    decode(block) {
      const fields: HeaderField[] = [];
      let list_bytes = 0;
      let position = 0;
      const malformed = (): HeaderBlock => {
        decoder.lose();
        return { fields, problem: 'malformed' };
      };
      while (position < block.length && ((block[position] ?? 0) & 0xe0) === 0x20) {
        const end = readSizeUpdate(block, position);
        if (end === undefined) return malformed();
        position = end;
      }
      while (position < block.length) {
        // A size update after the first field (section 4.2).
        if (((block[position] ?? 0) & 0xe0) === 0x20) return malformed();
        const field = readField(block, position);
        if (field === undefined) return malformed();
        position = field.end;
        const { name = '', value = '' } = field.value;
        list_bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
        if (list_bytes <= MAX_LIST_BYTES) fields.push(field.value);
      }
      return { fields, problem: list_bytes > MAX_LIST_BYTES ? 'too_large' : undefined };
    },
    lose() {
      table.lose();
      allowed_bytes = undefined;
    },
    allow(table_bytes) {
      allowed_bytes = table_bytes;
    },
  };
  return decoder;
}

function readInteger(block: Uint8Array, from: number, prefix_bits: number): Read<number> | undefined {
  const mask = 2 ** prefix_bits - 1;
  let value = (block[from] ?? 0) & mask;
  if (from >= block.length) return undefined;
  if (value < mask) return { value, end: from + 1 };
  let factor = 1;
  for (let position = from + 1; position < block.length && factor < MAX_INTEGER; position++) {
    const byte = block[position] ?? 0;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return value < MAX_INTEGER ? { value, end: position + 1 } : undefined;
  }
  return undefined;
}

function readString(block: Uint8Array, from: number): Read<string> | undefined {
  const length = readInteger(block, from, 7);
  if (length === undefined) return undefined;
  const end = length.end + length.value;
  if (end > block.length) return undefined;
  const is_coded = (block[from] ?? 0) >= 0x80;
  const value = is_coded ? decodeHuffman(block.subarray(length.end, end)) : latin1(block, length.end, end);
  return value === undefined ? undefined : { value, end };
}
