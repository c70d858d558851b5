import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { readElf } from '../../../src/targets/elf.ts';
import { type FoundTls, inspectTls } from '../../../src/targets/tls/inspect-tls.ts';
import { offsetsOf } from './locate-in.ts';

/** Proven on the very file of this size; other versions have to have the same functions, elsewhere. */
const AGENTS = [
  {
    name: 'Claude Code',
    variable: 'UNDERSIGHT_CLAUDE',
    families: ['boringssl'],
    functions: ['SSL_read', 'SSL_write', 'SSL_free'],
    known: { bytes: 377545232, offsets: { SSL_read: 0x311d810n, SSL_write: 0x311d660n } },
  },
  {
    name: 'Codex',
    variable: 'UNDERSIGHT_CODEX',
    families: ['openssl-static', 'rustls'],
    functions: ['ssl_read_internal', 'ssl_write_internal_flags', 'SSL_free', 'rustls_encrypt', 'rustls_decrypt'],
    known: { bytes: 294277432, offsets: { ssl_read_internal: 0x10e63c50n, ssl_write_internal_flags: 0x10e64240n } },
  },
] as const;

for (const { name, variable, families, functions, known } of AGENTS) {
  test(`the TLS functions of ${name} are found in its own executable`, (context) => {
    const file = process.env[variable];
    if (!file) return context.skip(`${variable} names no executable of ${name}`);
    const found = inspect(file);
    assert.deepEqual(found?.families, families);
    // Of several functions of one name, one.
    const offsets = offsetsOf(found);
    assert.deepEqual(Object.keys(offsets), [...functions]);
    assert.equal(new Set(Object.values(offsets)).size, functions.length);
    if (fs.statSync(file).size !== known.bytes) return;
    for (const [one, offset] of Object.entries(known.offsets)) assert.equal(offsets[one], offset, one);
  });
}

function inspect(file: string): FoundTls | undefined {
  const fd = fs.openSync(file, 'r');
  try {
    const elf = readElf(fd);
    return elf && inspectTls(elf).found;
  } finally {
    fs.closeSync(fd);
  }
}
