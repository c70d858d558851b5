import { codeSections, type Elf, readPieces } from '../elf.ts';

const MAX_SECTION_BYTES = 1024 * 1024 * 1024;

/** Addresses of the machine code that begins so, up to `limit` of them. */
export function findBytes(elf: Elf, bytes: Buffer, limit: number): readonly number[] {
  const found = new Set<number>();
  for (const section of codeSections(elf)) {
    const options = { maxBytes: MAX_SECTION_BYTES, overlap: bytes.length - 1 };
    for (const { chunk, offset } of readPieces(elf, section, options)) {
      for (let at = chunk.indexOf(bytes); at >= 0 && found.size < limit; at = chunk.indexOf(bytes, at + 1)) {
        found.add(section.address + offset + at);
      }
    }
  }
  return [...found];
}
