import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { locateTls, mayHoldTls } from '../../src/targets/locate-tls.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-elf-'));
after(() => fs.rmSync(directory, { recursive: true }));

const libssl = execFileSync('sh', [
  '-c',
  'ls /usr/lib/*-linux-gnu*/libssl.so.3 /usr/lib64/libssl.so.3 2>/dev/null || true',
])
  .toString()
  .split('\n')[0] as string;

/** A small ELF file: one executable segment, one symbol table with the given names at 0x1000, 0x1010, ... */
function makeElf(names: readonly string[]): Buffer {
  const strings = Buffer.from(`\0${names.join('\0')}\0`);
  const symbols = Buffer.alloc(24 * (names.length + 1));
  names.forEach((name, index) => {
    const at = 24 * (index + 1);
    symbols.writeUInt32LE(strings.indexOf(`\0${name}\0`) + 1, at);
    symbols[at + 4] = 0x12;
    symbols.writeUInt16LE(1, at + 6);
    symbols.writeBigUInt64LE(0x1000n + 0x10n * BigInt(index), at + 8);
  });
  const elf = Buffer.alloc(64 + 56 + 3 * 64 + symbols.length + strings.length);
  elf.write('\x7fELF\x02\x01', 'latin1');
  const segments = 64;
  const sections = segments + 56;
  const symbolsAt = sections + 3 * 64;
  const stringsAt = symbolsAt + symbols.length;
  elf.writeBigUInt64LE(BigInt(segments), 32);
  elf.writeBigUInt64LE(BigInt(sections), 40);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt16LE(64, 58);
  elf.writeUInt16LE(3, 60);
  elf.writeUInt32LE(1, segments);
  elf.writeUInt32LE(5, segments + 4);
  elf.writeBigUInt64LE(0x200n, segments + 8);
  elf.writeBigUInt64LE(0x1000n, segments + 16);
  elf.writeBigUInt64LE(0x1000n, segments + 32);
  const section = (index: number, type: number, offset: number, bytes: number, link: number) => {
    const at = sections + index * 64;
    elf.writeUInt32LE(type, at + 4);
    elf.writeBigUInt64LE(BigInt(offset), at + 24);
    elf.writeBigUInt64LE(BigInt(bytes), at + 32);
    elf.writeUInt32LE(link, at + 40);
  };
  section(1, 11, symbolsAt, symbols.length, 2);
  section(2, 3, stringsAt, strings.length, 0);
  symbols.copy(elf, symbolsAt);
  strings.copy(elf, stringsAt);
  return elf;
}

function locateIn(bytes: Uint8Array) {
  const file = path.join(directory, `${Math.random()}`);
  fs.writeFileSync(file, bytes);
  try {
    return locateTls(file);
  } finally {
    fs.rmSync(file);
  }
}

test('the functions of the system libssl are found: the inner ones, where the outer ones would cost more', () => {
  assert.ok(libssl, 'these tests need libssl.so.3');
  const library = locateTls(libssl);
  const names = library?.functions.map(({ name }) => name) ?? [];
  for (const direction of ['read', 'write'])
    assert.ok(
      names.some((name) => name.startsWith(`ssl_${direction}_internal`)) !==
        names.some((name) => name === `SSL_${direction}`),
      names.join(),
    );
  assert.ok(names.includes('SSL_free'));
  assert.match(library?.build_id ?? '', /^[0-9a-f]{40}$/);
  assert.equal(library?.inode, fs.statSync(libssl, { bigint: true }).ino);
});

test('the OpenSSL inside the node executable is found', () => {
  const library = locateTls(process.execPath);
  const names = library?.functions.map(({ name }) => name) ?? [];
  for (const name of ['SSL_read', 'SSL_read_ex', 'SSL_write', 'SSL_write_ex', 'SSL_free'] as const)
    assert.ok(names.includes(name), name);
  assert.equal(new Set(library?.functions.map((one) => one.file_offset)).size, names.length);
});

test('addresses become file offsets through the executable segment', () => {
  const library = locateIn(makeElf(['other', 'SSL_write', 'SSL_read']));
  assert.deepEqual(library?.functions, [
    { name: 'SSL_read', file_offset: 0x220n },
    { name: 'SSL_write', file_offset: 0x210n },
  ]);
});

test('a function whose name only ends like ours is another function', () => {
  assert.equal(locateIn(makeElf(['my_SSL_read'])), undefined);
});

test('what is no library, or not there, holds no TLS', () => {
  for (const file of ['/etc/passwd', '/dev/null', '/', '/nonexistent']) assert.equal(locateTls(file), undefined);
});

test('a damaged file gives fewer functions or none, never an error', () => {
  const whole = makeElf(['SSL_read', 'SSL_write', 'SSL_free']);
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(edits, fc.nat(whole.length), (changes, length) => {
      const damaged = Buffer.from(whole);
      for (const [at, byte] of changes) damaged[at] = byte;
      const library = locateIn(damaged.subarray(0, length));
      assert.ok(library === undefined || library.functions.length <= 3);
    }),
    { numRuns: 300 },
  );
});

test('libraries that may hold TLS are known by their names', () => {
  for (const name of [
    'libssl.so.3',
    'libssl.so',
    'libssl-1a2b.so.1.1',
    'libnode.so.115',
    '_ssl.cpython-311-x86_64-linux-gnu.so',
    'libgnutls.so.30.34.3',
    'libnspr4.so',
    'libnetty_tcnative_linux_x86_64.so',
    'libio_grpc_netty_shaded_netty_tcnative_linux_x86_641234567890.so',
    'libconscrypt_openjdk_jni-linux-x86_64.so',
    'cygrpc.cpython-311-x86_64-linux-gnu.so',
  ]) {
    assert.ok(mayHoldTls(`/opt/x/${name}`), name);
  }
  for (const name of ['libc.so.6', 'libssl.so.3.txt', 'libcrypto.so.3']) assert.ok(!mayHoldTls(`/opt/x/${name}`), name);
});
