/**
 * Reads the little of an ELF file that probes need, by `pread`, so that a 400 MB executable costs its symbol tables alone.
 * 64-bit little-endian only. Files are hostile: every size is bounded, every offset is checked, and what does not add up is
 * "no such symbol", never an exception. Layout: System V gABI, chapters 4 and 5.
 */
import fs from 'node:fs';

const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const SECTION_NOTE = 7;
const SECTION_SYMTAB = 2;
const SECTION_DYNSYM = 11;
const SEGMENT_LOAD = 1;
const SEGMENT_EXECUTABLE = 1;
const SYMBOL_FUNCTION = 2;
const NOTE_GNU_BUILD_ID = 3;
const MAX_HEADERS = 4096;
const MAX_TABLE_BYTES = 256 * 1024 * 1024;
const MAX_NOTE_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
}

interface Segment {
  readonly address: bigint;
  readonly offset: bigint;
  readonly file_bytes: bigint;
}

export interface Elf {
  readonly sections: readonly Section[];
  /** Executable ones that are loaded from the file. */
  readonly segments: readonly Segment[];
}

/** The headers of the file, or undefined for what is not a 64-bit little-endian ELF file. Throws what `fs.readSync` throws. */
export function readElf(fd: number): Elf | undefined {
  const header = readAt(fd, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
    return undefined;
  }
  const sections = readHeaders(fd, header.readBigUInt64LE(40), header.readUInt16LE(60), SECTION_HEADER_BYTES);
  const segments = readHeaders(fd, header.readBigUInt64LE(32), header.readUInt16LE(56), PROGRAM_HEADER_BYTES);
  if (header.readUInt16LE(58) !== SECTION_HEADER_BYTES || header.readUInt16LE(54) !== PROGRAM_HEADER_BYTES)
    return undefined;
  return {
    sections: sections.map((at) => ({
      type: at.readUInt32LE(4),
      offset: Number(at.readBigUInt64LE(24)),
      bytes: Number(at.readBigUInt64LE(32)),
      link: at.readUInt32LE(40),
    })),
    segments: segments
      .filter((at) => at.readUInt32LE(0) === SEGMENT_LOAD && (at.readUInt32LE(4) & SEGMENT_EXECUTABLE) !== 0)
      .map((at) => ({
        offset: at.readBigUInt64LE(8),
        address: at.readBigUInt64LE(16),
        file_bytes: at.readBigUInt64LE(32),
      })),
  };
}

/**
 * File offsets of the functions of these names: from the dynamic symbols, and for those missing there from the full
 * table. A name that is not found, or does not lie in an executable segment, is left out.
 */
export function findFunctions(fd: number, elf: Elf, names: readonly string[]): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const type of [SECTION_DYNSYM, SECTION_SYMTAB]) {
    for (const section of elf.sections) {
      const missing = names.filter((name) => !found.has(name));
      const strings = elf.sections[section.link];
      if (section.type !== type || strings === undefined || missing.length === 0) continue;
      const nameByOffset = findStrings(fd, strings, missing);
      if (nameByOffset.size === 0) continue;
      for (const [name, address] of findAddresses(fd, section, nameByOffset)) {
        const offset = fileOffset(elf, address);
        if (offset !== undefined) found.set(name, offset);
      }
    }
  }
  return found;
}

/** The GNU build id as lower-case hex. */
export function readBuildId(fd: number, elf: Elf): string | undefined {
  for (const section of elf.sections) {
    if (section.type !== SECTION_NOTE || section.bytes > MAX_NOTE_BYTES) continue;
    const notes = readAt(fd, section.offset, section.bytes);
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameBytes = notes.readUInt32LE(at);
      const descriptionBytes = notes.readUInt32LE(at + 4);
      const description = at + 12 + align4(nameBytes);
      if (description + descriptionBytes > notes.length) break;
      if (notes.readUInt32LE(at + 8) === NOTE_GNU_BUILD_ID && notes.toString('latin1', at + 12, at + 16) === 'GNU\0') {
        return notes.toString('hex', description, description + descriptionBytes);
      }
      at = description + align4(descriptionBytes);
    }
  }
  return undefined;
}

const align4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;

function fileOffset(elf: Elf, address: bigint): bigint | undefined {
  const segment = elf.segments.find((one) => address >= one.address && address < one.address + one.file_bytes);
  return segment && address - segment.address + segment.offset;
}

/** Where each name lies in a string table; a name may be the tail of a longer one, and is then found there too. */
function findStrings(fd: number, section: Section, names: readonly string[]): Map<number, string> {
  const found = new Map<number, string>();
  const needles = names.map((name) => ({ name, bytes: Buffer.from(`${name}\0`) }));
  const longest = Math.max(...needles.map(({ bytes }) => bytes.length));
  for (const { chunk, offset } of chunks(fd, section, longest - 1)) {
    for (const { name, bytes } of needles) {
      for (let at = chunk.indexOf(bytes); at >= 0; at = chunk.indexOf(bytes, at + 1)) found.set(offset + at, name);
    }
  }
  return found;
}

function findAddresses(fd: number, section: Section, nameByOffset: Map<number, string>): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const { chunk } of chunks(fd, section, 0)) {
    for (let at = 0; at + SYMBOL_BYTES <= chunk.length; at += SYMBOL_BYTES) {
      const name = nameByOffset.get(chunk.readUInt32LE(at));
      if (name === undefined || ((chunk[at + 4] ?? 0) & 0xf) !== SYMBOL_FUNCTION) continue;
      const isDefined = chunk.readUInt16LE(at + 6) !== 0;
      if (isDefined) found.set(name, chunk.readBigUInt64LE(at + 8));
    }
  }
  return found;
}

/** A section piece by piece, whole symbols each; a piece repeats the last `overlap` bytes of the one before. */
function* chunks(fd: number, section: Section, overlap: number): Generator<{ chunk: Buffer; offset: number }> {
  const size = CHUNK_BYTES - (CHUNK_BYTES % SYMBOL_BYTES);
  const end = Math.min(section.bytes, MAX_TABLE_BYTES);
  for (let offset = 0; offset < end; offset += size) {
    const chunk = readAt(fd, section.offset + offset, Math.min(size + overlap, end - offset));
    if (chunk.length === 0) return;
    yield { chunk, offset };
  }
}

function readHeaders(fd: number, offset: bigint, count: number, bytes: number): Buffer[] {
  const table = readAt(fd, Number(offset), Math.min(count, MAX_HEADERS) * bytes);
  const headers: Buffer[] = [];
  for (let at = 0; at + bytes <= table.length; at += bytes) headers.push(table.subarray(at, at + bytes));
  return headers;
}

/** As much of the range as the file has; nothing for a range that no file can have. */
function readAt(fd: number, position: number, bytes: number): Buffer {
  if (!Number.isSafeInteger(position) || position > Number.MAX_SAFE_INTEGER - bytes) return Buffer.alloc(0);
  const buffer = Buffer.alloc(bytes);
  let read = 0;
  while (read < bytes) {
    const count = fs.readSync(fd, buffer, read, bytes - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return buffer.subarray(0, read);
}
