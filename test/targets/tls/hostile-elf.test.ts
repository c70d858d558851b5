import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, mock, test } from 'node:test';
import { readElf } from '../../../src/targets/elf.ts';
import { createReadBudget } from '../../../src/targets/read-budget.ts';
import { inspectTls, type TlsInspection } from '../../../src/targets/tls/inspect-tls.ts';
import { type HostileSection, writeHostileElf } from './hostile-elf.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-hostile-'));
after(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'program');

const PROGBITS = 1;
const SYMTAB = 2;
const STRTAB = 3;
const RELA = 4;
const DYNSYM = 11;
const LOADED = 2;
const CODE = 6;
const MIB = 1024 * 1024;
const MAX_READ_BYTES = 2048 * MIB;

interface Look extends TlsInspection {
  /** What was read of the file in all. */
  readonly read_bytes: number;
  /** What each family says that found nothing. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** What is found; by default the clock stands still, so that only what is counted ends the search. */
function inspect(spent_ms: () => number = () => 0): Look {
  let read_bytes = 0;
  const readSync = fs.readSync;
  const spy = mock.method(fs, 'readSync', (...given: Parameters<typeof readSync>) => {
    const bytes = readSync(...given);
    read_bytes += bytes;
    return bytes;
  });
  const fd = fs.openSync(file, 'r');
  try {
    const elf = readElf(fd, createReadBudget(spent_ms));
    assert.ok(elf);
    const inspection = inspectTls(elf);
    const reasons = Object.fromEntries(inspection.missing.map(({ family, missing }) => [family, missing]));
    return { ...inspection, read_bytes, reasons };
  } finally {
    fs.closeSync(fd);
    spy.mock.restore();
  }
}

/** A clock that is further at each look. */
function hurried(step_ms: number): () => number {
  let now_ms = 0;
  return () => {
    now_ms += step_ms;
    return now_ms;
  };
}

const goBuildInfo = Buffer.concat([
  Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'),
  Buffer.alloc(16),
  Buffer.from('\x08go1.26.1', 'latin1'),
  Buffer.alloc(64),
]);

/** Headers of function tables, as many as fit, that are sound but for where the text begins; then what they have in common. */
function fakeTables(count: number): Buffer {
  const functions = 64;
  const tables = Buffer.alloc(72 * count + 4096);
  for (let index = 0; index < count; index++) {
    const at = 72 * index;
    tables.writeUInt32LE(0xfffffff1, at);
    tables[at + 6] = 1;
    tables[at + 7] = 8;
    [functions, functions, 0, 72, 72, 72, 72, tables.length - 2048 - at].forEach((value, word) => {
      tables.writeBigUInt64LE(BigInt(value), at + 8 + 8 * word);
    });
  }
  for (let index = 0; index <= functions; index++) tables.writeUInt32LE(16 * index, tables.length - 2048 + 8 * index);
  return tables;
}

test('beginnings of Go’s function table without number do not keep who looks into a file busy', () => {
  writeHostileElf(file, [
    { name: '.text', type: PROGBITS, flags: CODE, bytes: 64 * MIB },
    { name: '.go.buildinfo', type: PROGBITS, flags: LOADED, content: goBuildInfo },
    { name: '.rodata', type: PROGBITS, flags: LOADED, content: fakeTables(2000) },
  ]);
  const { reasons, read_bytes } = inspect();
  assert.match(reasons.go ?? '', /no function table/);
  assert.ok(read_bytes < 512 * MIB, `${read_bytes / MIB} MiB were read`);
});

test('a name that fills the table of names costs neither memory nor time', () => {
  writeHostileElf(file, [
    { name: '.dynsym', type: DYNSYM, content: Buffer.alloc(24), link: 2 },
    { name: '.dynstr', type: STRTAB, content: Buffer.from('SSL_free\0'.repeat(MIB)), times: 8 },
  ]);
  const source = (name: string) => JSON.stringify(path.join(import.meta.dirname, '../../../src/targets', name));
  const program = `
    import { openSync } from 'node:fs';
    import { readElf } from ${source('elf.ts')};
    import { inspectTls } from ${source('tls/inspect-tls.ts')};
    console.log(inspectTls(readElf(openSync(${JSON.stringify(file)}))).found);`;
  const limits = ['--max-old-space-size=64', '--input-type=module-typescript'];
  const output = execFileSync(process.execPath, [...limits, '-e', program], { encoding: 'utf8', stdio: 'pipe' });
  assert.equal(output, 'undefined\n');
});

/** Each would have all of the file read again and again, or compared with much. */
const HOSTILE: Readonly<Record<string, readonly HostileSection[]>> = {
  'symbol tables that share their names': [
    { name: '.strtab', type: STRTAB, content: Buffer.from('SSL_free\0SSL_read\0'), bytes: 64 * MIB },
    ...times(3000, { name: '.symtab', type: SYMTAB, link: 1, bytes: 64 * MIB, sameAs: '.strtab' }),
    ...times(1000, { name: '.dynsym', type: DYNSYM, link: 1, bytes: 64 * MIB, sameAs: '.strtab' }),
  ],
  'sections of constants that are one and the same': [
    { name: '.rodata', type: PROGBITS, flags: LOADED, content: Buffer.from('\0ssl/ssl_lib.cc\0'), bytes: 64 * MIB },
    ...times(4000, { name: '.rodata', type: PROGBITS, flags: LOADED, bytes: 64 * MIB, sameAs: '.rodata' }),
  ],
  'sections of code that are one and the same': [
    { name: '.rodata', type: PROGBITS, flags: LOADED, content: Buffer.from('\0ssl/ssl_lib.cc\0ssl/ssl_lib.c\0') },
    { name: '.text', type: PROGBITS, flags: CODE, content: Buffer.from('488d05', 'hex'), times: 4096, bytes: 64 * MIB },
    ...times(4000, { name: '.text', type: PROGBITS, flags: CODE, bytes: 64 * MIB, sameAs: '.text' }),
  ],
  'relocations without end': [
    {
      name: '.rodata',
      type: PROGBITS,
      flags: LOADED,
      content: Buffer.from("/rustls-0.23.1/src/cannot decrypt peer's message"),
    },
    { name: '.data.rel.ro', type: PROGBITS, flags: 3, bytes: 64 * MIB },
    ...times(4000, { name: '.rela.dyn', type: RELA, flags: LOADED, bytes: 64 * MIB, sameAs: '.data.rel.ro' }),
    ...times(80, { name: '.rodata', type: PROGBITS, flags: LOADED, bytes: 64 * MIB, sameAs: '.data.rel.ro' }),
  ],
  'notes without end': [
    { name: '.note', type: 7, bytes: 65536 },
    ...times(4000, { name: '.note', type: 7, bytes: 65536, sameAs: '.note' }),
    { name: '.dynsym', type: DYNSYM, bytes: 64 * MIB },
    ...times(64, { name: '.strtab', type: DYNSYM, link: 4002, bytes: 64 * MIB, sameAs: '.dynsym' }),
  ],
};

function times(count: number, section: HostileSection): readonly HostileSection[] {
  return Array.from({ length: count }, () => section);
}

for (const [name, sections] of Object.entries(HOSTILE)) {
  test(`of a file with ${name} a bounded part is read, and for a bounded time`, () => {
    writeHostileElf(file, sections);
    const { found, read_bytes } = inspect();
    assert.equal(found, undefined);
    assert.ok(read_bytes <= MAX_READ_BYTES, `${read_bytes / MIB} MiB were read`);
    const hasty = inspect(hurried(200));
    assert.ok(hasty.isCut);
    assert.ok(Object.values(hasty.reasons).includes('took too long'));
    assert.ok(hasty.read_bytes < 128 * MIB, `${hasty.read_bytes / MIB} MiB were read`);
  });
}
