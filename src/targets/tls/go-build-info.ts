/** The version that Go's linker leaves in every program. Layout: Go's src/debug/buildinfo/buildinfo.go. */
import { type Elf, readFrom } from '../elf.ts';

const SECTION = '.go.buildinfo';
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const HEADER_BYTES = 32;
const FLAG_BIG_ENDIAN = 1;
const FLAG_INLINE = 2;
const POINTER_BYTES = 8;
const MAX_VERSION_BYTES = 127;

export interface GoVersion {
  /** As the linker wrote it: `go1.26.8`, `devel go1.27-a1b2c3`, `go1.17.13 X:noregabi`. */
  readonly text: string;
  /** 26 in go1.26.8. */
  readonly minor: number;
}

/** Undefined where nothing says that Go made the file. Throws what `fs.readSync` throws. */
export function readGoVersion(elf: Elf): GoVersion | undefined {
  const section = elf.sections.find(({ name }) => name === SECTION);
  if (section === undefined) return undefined;
  const header = readFrom(elf, section.offset, HEADER_BYTES + 1 + MAX_VERSION_BYTES);
  if (header.length <= HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const flags = header[15] ?? 0;
  const text = (flags & FLAG_INLINE) !== 0 ? readInline(header) : readPointed(elf, header, flags);
  const minor = text?.match(/\bgo1\.(\d{1,3})(?!\d)/)?.[1];
  return text === undefined || minor === undefined ? undefined : { text, minor: Number(minor) };
}

/** Since Go 1.18; a length of more than 127 would take two bytes, and no version is that long. */
function readInline(header: Buffer): string | undefined {
  const bytes = header[HEADER_BYTES] ?? 0;
  return bytes <= MAX_VERSION_BYTES ? header.toString('latin1', HEADER_BYTES + 1, HEADER_BYTES + 1 + bytes) : undefined;
}

/** Up to Go 1.17: a pointer to a string. Position-independent programs get it at run time only. */
function readPointed(elf: Elf, header: Buffer, flags: number): string | undefined {
  if ((flags & FLAG_BIG_ENDIAN) !== 0 || header[14] !== POINTER_BYTES) return undefined;
  const string = readData(elf, Number(header.readBigUInt64LE(16)), 2 * POINTER_BYTES);
  if (string.length < 2 * POINTER_BYTES) return undefined;
  const bytes = Number(string.readBigUInt64LE(POINTER_BYTES));
  return bytes <= MAX_VERSION_BYTES
    ? readData(elf, Number(string.readBigUInt64LE(0)), bytes).toString('latin1')
    : undefined;
}

function readData(elf: Elf, address: number, bytes: number): Buffer {
  const section = elf.sections.find(
    (one) => one.address > 0 && address >= one.address && address + bytes <= one.address + one.bytes,
  );
  return section === undefined ? Buffer.alloc(0) : readFrom(elf, address - section.address + section.offset, bytes);
}
