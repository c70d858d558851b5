import { type Elf, readFrom } from '../elf.ts';

const MAX_FUNCTIONS = 8 * 1024 * 1024;
const HEADER_BYTES = 12;
/** Version 1; pointer sdata4 pc-relative, count udata4, table sdata4 relative to the header: what every linker writes. */
const USUAL_ENCODING = 0x01_1b_03_3b;

export interface FunctionBounds {
  readonly start: number;
  readonly end: number;
}

/** The functions of a file, from its unwind tables, which stripping leaves in place. */
export interface FunctionTable {
  readonly count: number;
  /** The function that this address lies in. */
  containing(address: number): FunctionBounds | undefined;
}

/** Undefined without `.eh_frame_hdr`, or where it is not laid out as usual. Layout: Linux Standard Base 5.0, 10.6. */
export function readFunctionTable(elf: Elf): FunctionTable | undefined {
  const { unwind_index } = elf;
  if (unwind_index === undefined) return undefined;
  const base = Number(unwind_index.address);
  const offset = Number(unwind_index.offset);
  const header = readFrom(elf, offset, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== USUAL_ENCODING) return undefined;
  const count = header.readUInt32LE(8);
  if (count === 0 || count > MAX_FUNCTIONS) return undefined;
  const table = readFrom(elf, offset + HEADER_BYTES, count * 8);
  if (table.length < count * 8) return undefined;
  const startAt = (index: number) => base + table.readInt32LE(index * 8);
  return {
    count,
    containing(address) {
      let low = 0;
      let high = count;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (startAt(middle) <= address) low = middle + 1;
        else high = middle;
      }
      if (low === 0) return undefined;
      const start = startAt(low - 1);
      const description = base + table.readInt32LE((low - 1) * 8 + 4);
      const bytes = readLength(elf, description - base + offset, description, start);
      return bytes !== undefined && address < start + bytes ? { start, end: start + bytes } : undefined;
    },
  };
}

/** How long a function is, if its frame description agrees that it begins at `start`. */
function readLength(elf: Elf, offset: number, address: number, start: number): number | undefined {
  const description = readFrom(elf, offset, 16);
  if (description.length < 16) return undefined;
  const begins = address + 8 + description.readInt32LE(8);
  return begins === start ? description.readUInt32LE(12) : undefined;
}
