import { type Elf, fileOffset, readPieces, type Section } from './elf.ts';

const SYMBOL_BYTES = 24;
const SECTION_SYMTAB = 2;
const SECTION_DYNSYM = 11;
const SYMBOL_FUNCTION = 2;
const MAX_TABLE_BYTES = 256 * 1024 * 1024;
/** Of one name in a table of strings, in which it may be the tail of others. */
const MAX_OCCURRENCES = 256;

/**
 * File offsets of the functions of these names: from the dynamic symbols, and for those missing there from the full
 * table. A name that is not found, or does not lie in an executable segment, is left out.
 */
export function findFunctions<Name extends string>(elf: Elf, names: readonly Name[]): Map<Name, bigint> {
  const found = new Map<Name, bigint>();
  for (const type of [SECTION_DYNSYM, SECTION_SYMTAB]) {
    for (const section of elf.sections) {
      const missing = names.filter((name) => !found.has(name));
      const strings = elf.sections[section.link];
      if (section.type !== type || strings === undefined || missing.length === 0) continue;
      const nameByOffset = findNames(elf, strings, missing);
      if (nameByOffset.size === 0) continue;
      for (const [name, address] of findAddresses(elf, section, nameByOffset)) {
        const offset = fileOffset(elf, address);
        if (offset !== undefined) found.set(name, offset);
      }
    }
  }
  return found;
}

/** Where each name lies in a string table; a name may be the tail of a longer one, and is then found there too. */
function findNames<Name extends string>(elf: Elf, section: Section, names: readonly Name[]): Map<number, Name> {
  const found = new Map<number, Name>();
  const needles = names.map((name) => ({ name, bytes: Buffer.from(`${name}\0`), left: MAX_OCCURRENCES }));
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  for (const { chunk, offset } of readPieces(elf, section, { maxBytes: MAX_TABLE_BYTES, overlap })) {
    for (const needle of needles) {
      const { name, bytes } = needle;
      for (let at = chunk.indexOf(bytes); at >= 0 && needle.left > 0; at = chunk.indexOf(bytes, at + 1)) {
        found.set(offset + at, name);
        needle.left -= 1;
      }
    }
  }
  return found;
}

function findAddresses<Name extends string>(elf: Elf, section: Section, nameByOffset: Map<number, Name>) {
  const found = new Map<Name, bigint>();
  for (const { chunk } of readPieces(elf, section, { maxBytes: MAX_TABLE_BYTES, unitBytes: SYMBOL_BYTES })) {
    for (let at = 0; at + SYMBOL_BYTES <= chunk.length; at += SYMBOL_BYTES) {
      const name = nameByOffset.get(chunk.readUInt32LE(at));
      if (name === undefined || ((chunk[at + 4] ?? 0) & 0xf) !== SYMBOL_FUNCTION) continue;
      const isDefined = chunk.readUInt16LE(at + 6) !== 0;
      if (isDefined) found.set(name, chunk.readBigUInt64LE(at + 8));
    }
  }
  return found;
}

const MAX_NAME_BYTES = 1024;
/** Real programs have some dozens. */
const MAX_LONGER_NAMES = 4096;

/** Addresses of the functions in the full table whose names contain one of these texts and are wanted, up to 4096. */
export function findFunctionsNamed(
  elf: Elf,
  texts: readonly string[],
  isWanted: (name: string) => boolean,
): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const section of elf.sections) {
    const strings = elf.sections[section.link];
    if (section.type !== SECTION_SYMTAB || strings === undefined) continue;
    const nameByOffset = findLongerNames(elf, strings, texts, isWanted);
    if (nameByOffset.size === 0) continue;
    for (const [name, address] of findAddresses(elf, section, nameByOffset)) found.set(name, address);
  }
  return found;
}

function findLongerNames(
  elf: Elf,
  section: Section,
  texts: readonly string[],
  isWanted: (name: string) => boolean,
): Map<number, string> {
  const found = new Map<number, string>();
  for (const { chunk, offset } of readPieces(elf, section, { maxBytes: MAX_TABLE_BYTES, overlap: MAX_NAME_BYTES })) {
    for (const text of texts) {
      let end = 0;
      for (let at = chunk.indexOf(text); at >= 0 && found.size < MAX_LONGER_NAMES; at = chunk.indexOf(text, end)) {
        end = chunk.indexOf(0, at);
        if (end < 0) break;
        // One that begins before the piece was whole in the last, or is too long.
        const start = chunk.lastIndexOf(0, at) + 1;
        if (start === 0 || end - start > MAX_NAME_BYTES) continue;
        const name = chunk.toString('latin1', start, end);
        if (isWanted(name)) found.set(offset + start, name);
      }
    }
  }
  return found;
}
