/**
 * Data that the loader completes and then makes read-only: tables of functions, and what refers to strings. In the file,
 * addresses stand in place (RELR, fixed executables) or apart, in entries that say where they belong (RELA). Layouts: System V
 * gABI, "Relocation"; x86-64 psABI, R_X86_64_RELATIVE.
 */
import { constantSections, type Elf, readFrom, readPieces, type Section } from '../elf.ts';

const SECTION_PROGBITS = 1;
const SECTION_RELA = 4;
const ENTRY_BYTES = 24;
const R_X86_64_RELATIVE = 8;
const MAX_DATA_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES_BYTES = 128 * 1024 * 1024;
/** Real programs have up to 7. */
const MAX_SECTIONS = 16;

export interface RelocatedData {
  readonly address: number;
  /** 64-bit words, as the loader leaves them, lower half first. */
  readonly words: Uint32Array;
}

/** The sections of such data, complete as they are in memory but for the address of the program itself. */
export function readRelocatedData(elf: Elf): readonly RelocatedData[] {
  let left = MAX_DATA_BYTES;
  const data = dataSections(elf).flatMap(({ address, offset, bytes }) => {
    const length = Math.min(bytes, left) & ~7;
    if (length <= 0 || !Number.isSafeInteger(address + length) || address % 8 !== 0) return [];
    const content = readFrom(elf, offset, length);
    left -= content.length;
    // A buffer of its own begins at the start of its memory, hence aligned.
    return { address, words: new Uint32Array(content.buffer, content.byteOffset, (content.length >> 3) * 2) };
  });
  let leftOfEntries = MAX_ENTRIES_BYTES;
  for (const section of elf.sections) {
    if (section.type !== SECTION_RELA || data.length === 0 || leftOfEntries <= 0) continue;
    leftOfEntries -= apply(elf, section, data, leftOfEntries);
  }
  return data;
}

/** A fixed executable needs no relocation: the same tables may lie among the constants. */
function dataSections(elf: Elf): readonly Section[] {
  const relocated = elf.sections.filter(
    ({ name, type }) => type === SECTION_PROGBITS && name.startsWith('.data.rel.ro'),
  );
  return (elf.isFixed ? [...relocated, ...constantSections(elf)] : relocated).slice(0, MAX_SECTIONS);
}

/** Returns how many bytes of entries it read. */
function apply(elf: Elf, section: Section, data: readonly RelocatedData[], maxBytes: number): number {
  let read = 0;
  for (const { chunk } of readPieces(elf, section, { maxBytes, unitBytes: ENTRY_BYTES })) {
    read += chunk.length;
    for (let at = 0; at + ENTRY_BYTES <= chunk.length; at += ENTRY_BYTES) {
      if (chunk.readUInt32LE(at + 8) !== R_X86_64_RELATIVE || chunk.readUInt32LE(at + 12) !== 0) continue;
      const place = readWord(chunk, at);
      for (const { address, words } of data) {
        const index = (place - address) / 4;
        if (!(index >= 0 && index + 1 < words.length && Number.isInteger(index / 2))) continue;
        words[index] = chunk.readUInt32LE(at + 16);
        words[index + 1] = chunk.readUInt32LE(at + 20);
      }
    }
  }
  return read;
}

const readWord = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
