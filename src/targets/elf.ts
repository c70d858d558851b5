/**
 * Reads the little of an ELF file that probes need, by `pread`, so that a 400 MB executable costs what is looked at alone.
 * 64-bit little-endian only. Files are hostile: every size is bounded, every offset is checked, and what does not add up is
 * "not there", never an exception. Layout: System V gABI, chapters 4 and 5.
 */
import fs from 'node:fs';
import { createReadBudget, type ReadBudget } from './read-budget.ts';

const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const TYPE_EXECUTABLE = 2;
const SECTION_PROGBITS = 1;
const SECTION_NOTE = 7;
const FLAG_WRITE = 1;
const FLAG_ALLOCATE = 2;
const FLAG_EXECUTE = 4;
const SEGMENT_LOAD = 1;
const SEGMENT_UNWIND_INDEX = 0x6474e550;
const SEGMENT_EXECUTABLE = 1;
const NOTE_GNU_BUILD_ID = 3;
const MAX_HEADERS = 4096;
const MAX_NOTE_BYTES = 64 * 1024;
const MAX_NAMES_BYTES = 1024 * 1024;
const MAX_NAME_BYTES = 64;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Offsets and addresses are as the file has them; what no file can have reads as nothing. */
export interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
}

export interface Segment {
  readonly address: bigint;
  readonly offset: bigint;
  readonly file_bytes: bigint;
}

export interface Elf {
  readonly fd: number;
  readonly file_bytes: number;
  /** What every further read is charged to. */
  readonly budget: ReadBudget;
  /** Whether the code lies at fixed addresses: no shared library, no position-independent executable. */
  readonly isFixed: boolean;
  /** e_machine; 62 is x86-64. */
  readonly machine: number;
  readonly sections: readonly Section[];
  /** Executable ones that are loaded from the file. */
  readonly segments: readonly Segment[];
  /** `.eh_frame_hdr`. */
  readonly unwind_index: Segment | undefined;
}

/** The headers of the file, or undefined for what is not a 64-bit little-endian ELF file. Throws what `fs.readSync` throws. */
export function readElf(fd: number, budget = createReadBudget()): Elf | undefined {
  const header = readAt(fd, 0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
    return undefined;
  }
  if (header.readUInt16LE(58) !== SECTION_HEADER_BYTES || header.readUInt16LE(54) !== PROGRAM_HEADER_BYTES)
    return undefined;
  const sections = readHeaders(fd, header.readBigUInt64LE(40), header.readUInt16LE(60), SECTION_HEADER_BYTES);
  const segments = readHeaders(fd, header.readBigUInt64LE(32), header.readUInt16LE(56), PROGRAM_HEADER_BYTES);
  const isExecutable = (at: Buffer) => (at.readUInt32LE(4) & SEGMENT_EXECUTABLE) !== 0;
  const unwind = segments.find((at) => at.readUInt32LE(0) === SEGMENT_UNWIND_INDEX);
  return {
    fd,
    file_bytes: fs.fstatSync(fd).size,
    budget,
    isFixed: header.readUInt16LE(16) === TYPE_EXECUTABLE,
    machine: header.readUInt16LE(18),
    sections: nameSections(fd, sections.map(toSection), header.readUInt16LE(62)),
    segments: segments.filter((at) => at.readUInt32LE(0) === SEGMENT_LOAD && isExecutable(at)).map(toSegment),
    unwind_index: unwind && toSegment(unwind),
  };
}

/** Sections of machine code. */
export function codeSections({ sections }: Elf): readonly Section[] {
  return sections.filter((one) => isPlaced(one) && (one.flags & FLAG_EXECUTE) !== 0);
}

/** Sections of constants that may hold strings: not those for unwinding, which can be larger than the rest. */
export function constantSections({ sections }: Elf): readonly Section[] {
  const mask = FLAG_WRITE | FLAG_ALLOCATE | FLAG_EXECUTE;
  return sections.filter(
    (one) => isPlaced(one) && (one.flags & mask) === FLAG_ALLOCATE && !/^\.(eh_frame|gcc_except_table)/.test(one.name),
  );
}

/** Whether it has content at an address that can be counted with: beyond 2^53, adding 1 changes nothing. */
const isPlaced = ({ type, address, bytes }: Section): boolean =>
  type === SECTION_PROGBITS && Number.isSafeInteger(address + bytes);

/** Where in the file the code of an address lies; undefined outside of the executable segments. */
export function fileOffset({ segments }: Elf, address: bigint): bigint | undefined {
  const segment = segments.find((one) => address >= one.address && address < one.address + one.file_bytes);
  return segment && address - segment.address + segment.offset;
}

/** The address that code at this place of the file is loaded to, if it is. */
export function segmentAddress({ segments }: Elf, offset: bigint): number | undefined {
  const segment = segments.find((one) => offset >= one.offset && offset < one.offset + one.file_bytes);
  return segment && Number(offset - segment.offset + segment.address);
}

/** Up to `bytes` of code from an address on; nothing outside of the executable segments. Throws as `readFrom`. */
export function readCode(elf: Elf, address: number, bytes: number): Buffer {
  // To find the segment takes time too.
  elf.budget.charge(0);
  const offset = Number.isSafeInteger(address) && address >= 0 ? fileOffset(elf, BigInt(address)) : undefined;
  return offset === undefined ? Buffer.alloc(0) : readFrom(elf, Number(offset), bytes);
}

/** The GNU build id as lower-case hex. */
export function readBuildId(elf: Elf): string | undefined {
  for (const section of elf.sections) {
    if (section.type !== SECTION_NOTE || section.bytes > MAX_NOTE_BYTES) continue;
    const notes = readFrom(elf, section.offset, section.bytes);
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

/**
 * A section piece by piece, at most `maxBytes` of it. Pieces begin at multiples of `unitBytes` and repeat the first `overlap`
 * bytes of the next. `chunk` is only valid until the next piece. Throws TookTooLong.
 */
export function* readPieces(elf: Elf, section: Section, { maxBytes, overlap = 0, unitBytes = 1 }: PieceOptions) {
  const { fd, budget, file_bytes } = elf;
  const size = CHUNK_BYTES - (CHUNK_BYTES % unitBytes);
  const end = Math.min(section.bytes, maxBytes, file_bytes - section.offset);
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(size + overlap, end)));
  for (let offset = 0; offset < end; offset += size) {
    const bytes = Math.min(size + overlap, end - offset);
    budget.charge(bytes);
    const chunk = readInto(fd, section.offset + offset, buffer.subarray(0, bytes));
    if (chunk.length === 0) return;
    yield { chunk, offset, isLast: offset + size >= end };
  }
}

interface PieceOptions {
  readonly maxBytes: number;
  readonly overlap?: number;
  readonly unitBytes?: number;
}

/** As `readAt`, charged to the file's budget: throws TookTooLong. */
export function readFrom({ fd, budget, file_bytes }: Elf, position: number, bytes: number): Buffer {
  const there = Math.max(0, Math.min(bytes, file_bytes - position)) || 0;
  budget.charge(there);
  return readAt(fd, position, there);
}

/** As much of the range as the file has; nothing for a range that no file can have. */
export function readAt(fd: number, position: number, bytes: number): Buffer {
  return readInto(fd, position, Buffer.alloc(bytes));
}

function readInto(fd: number, position: number, buffer: Buffer): Buffer {
  const isPossible = Number.isSafeInteger(position) && position >= 0;
  if (!isPossible || position > Number.MAX_SAFE_INTEGER - buffer.length) return Buffer.alloc(0);
  let read = 0;
  while (read < buffer.length) {
    const count = fs.readSync(fd, buffer, read, buffer.length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return buffer.subarray(0, read);
}

function readHeaders(fd: number, offset: bigint, count: number, bytes: number): Buffer[] {
  const table = readAt(fd, Number(offset), Math.min(count, MAX_HEADERS) * bytes);
  const headers: Buffer[] = [];
  for (let at = 0; at + bytes <= table.length; at += bytes) headers.push(table.subarray(at, at + bytes));
  return headers;
}

const toSection = (at: Buffer) => ({
  nameAt: at.readUInt32LE(0),
  type: at.readUInt32LE(4),
  flags: Number(at.readBigUInt64LE(8)),
  address: Number(at.readBigUInt64LE(16)),
  offset: Number(at.readBigUInt64LE(24)),
  bytes: Number(at.readBigUInt64LE(32)),
  link: at.readUInt32LE(40),
});

function nameSections(fd: number, sections: readonly ReturnType<typeof toSection>[], namesIndex: number): Section[] {
  const names = sections[namesIndex];
  const strings = names ? readAt(fd, names.offset, Math.min(names.bytes, MAX_NAMES_BYTES)) : Buffer.alloc(0);
  return sections.map(({ nameAt, ...section }) => {
    const name = strings.toString('latin1', nameAt, Math.min(strings.length, nameAt + MAX_NAME_BYTES));
    return { name: name.split('\0', 1)[0] as string, ...section };
  });
}

const toSegment = (at: Buffer): Segment => ({
  offset: at.readBigUInt64LE(8),
  address: at.readBigUInt64LE(16),
  file_bytes: at.readBigUInt64LE(32),
});

const align4 = (bytes: number): number => Math.ceil(bytes / 4) * 4;
