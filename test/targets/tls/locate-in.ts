import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readElf } from '../../../src/targets/elf.ts';
import { type FoundTls, inspectTls } from '../../../src/targets/tls/inspect-tls.ts';

/** What is found in a file of these bytes, or what each family says is missing. */
export function locateIn(bytes: Uint8Array): { found: FoundTls | undefined; missing: string } {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-tls-'));
  try {
    const file = path.join(directory, 'program');
    fs.writeFileSync(file, bytes);
    const fd = fs.openSync(file, 'r');
    try {
      const elf = readElf(fd);
      if (elf === undefined) return { found: undefined, missing: 'no ELF file' };
      const { found, missing } = inspectTls(elf);
      return { found, missing: missing.map((one) => `${one.family}: ${one.missing}`).join('\n') };
    } finally {
      fs.closeSync(fd);
    }
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** Each function's name and file offset. */
export function offsetsOf(found: FoundTls | undefined): Record<string, bigint> {
  return Object.fromEntries((found?.functions ?? []).map(({ name, file_offset }) => [name, file_offset]));
}
