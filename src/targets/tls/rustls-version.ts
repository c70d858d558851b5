import { constantSections, type Elf, readPieces } from '../elf.ts';

const MAX_SECTION_BYTES = 256 * 1024 * 1024;
const MAX_VERSIONS = 8;
/** Panics name the source file, which lies in a directory of the crate's name and version, unless vendored or remapped. */
const CRATE = Buffer.from('/rustls-');
const CRATE_PATH = /^\/rustls-(\d{1,3}\.\d{1,3}\.\d{1,4}[-.\w]{0,16})\/src\//;
const CRATE_PATH_BYTES = 48;
/** How Error::DecryptError reads (rustls, src/error.rs, since 0.20). */
const ERROR_TEXT = Buffer.from("cannot decrypt peer's message");

export interface RustlsSigns {
  /** Of the crate, by the paths of its source; "0.23.46". */
  readonly versions: readonly string[];
  /** Whether there is the text of one of its errors. */
  readonly hasErrorText: boolean;
}

/** What a file's constants tell of rustls. */
export function findRustlsSigns(elf: Elf): RustlsSigns {
  const versions = new Set<string>();
  let hasErrorText = false;
  for (const section of constantSections(elf)) {
    const options = { maxBytes: MAX_SECTION_BYTES, overlap: CRATE_PATH_BYTES };
    for (const { chunk } of readPieces(elf, section, options)) {
      hasErrorText ||= chunk.includes(ERROR_TEXT);
      for (let at = chunk.indexOf(CRATE); at >= 0 && versions.size < MAX_VERSIONS; at = chunk.indexOf(CRATE, at + 1)) {
        const version = CRATE_PATH.exec(chunk.toString('latin1', at, at + CRATE_PATH_BYTES))?.[1];
        if (version !== undefined) versions.add(version);
      }
    }
  }
  return { versions: [...versions].sort(), hasErrorText };
}
