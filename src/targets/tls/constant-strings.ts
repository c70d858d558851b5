import { constantSections, type Elf, readPieces } from '../elf.ts';

const MAX_SECTION_BYTES = 256 * 1024 * 1024;
const MAX_FOUND = 256;
/** What may lead to the end of a path that is looked for. */
const MAX_PREFIX_BYTES = 256;

/** Addresses of these strings, each with its NUL, among a file's constants. A string may be the tail of a longer one. */
export function findStrings<Name extends string>(elf: Elf, names: readonly Name[]): Map<number, Name> {
  return find(elf, names, (_chunk, at) => at);
}

/** As `findStrings`, for strings that end so: the address is that of the beginning. */
export function findStringsEnding<Name extends string>(elf: Elf, ends: readonly Name[]): Map<number, Name> {
  return find(elf, ends, (chunk, at) => {
    let start = at;
    while (start > 0 && at - start < MAX_PREFIX_BYTES && isPrintable(chunk[start - 1])) start -= 1;
    return start;
  });
}

function find<Name extends string>(elf: Elf, names: readonly Name[], startOf: (chunk: Buffer, at: number) => number) {
  const found = new Map<number, Name>();
  const needles = names.map((name) => ({ name, bytes: Buffer.from(`${name}\0`) }));
  const overlap = MAX_PREFIX_BYTES + Math.max(...needles.map(({ bytes }) => bytes.length));
  for (const section of constantSections(elf)) {
    for (const { chunk, offset } of readPieces(elf, section, { maxBytes: MAX_SECTION_BYTES, overlap })) {
      for (const { name, bytes } of needles) {
        for (let at = chunk.indexOf(bytes); at >= 0 && found.size < MAX_FOUND; at = chunk.indexOf(bytes, at + 1)) {
          found.set(section.address + offset + startOf(chunk, at), name);
        }
      }
    }
  }
  return found;
}

const isPrintable = (byte: number | undefined): boolean => byte !== undefined && byte > 0x20 && byte < 0x7f;
