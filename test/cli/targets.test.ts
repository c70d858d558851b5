import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './launch.ts';

test('targets inspect tells where the TLS functions of a program are, and how they were found', async () => {
  const { code, stdout, stderr } = await launch(['targets', 'inspect', process.execPath]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /\n {2}found by {3}openssl-symbols\n {2}SSL_read +at file offset 0x[0-9a-f]+\n/);
  assert.match(stdout, /\n {2}SSL_write: by its symbol\n/);
});

test('targets inspect prints JSON when asked', async () => {
  const { code, stdout } = await launch(['targets', 'inspect', '--json', process.execPath]);
  assert.equal(code, 0);
  const { path, families, functions, missing } = JSON.parse(stdout);
  assert.deepEqual([path, families], [process.execPath, ['openssl-symbols']]);
  // Rust code may stand beside others.
  assert.deepEqual(
    missing.map(({ family }: { family: string }) => family),
    ['rustls'],
  );
  assert.match(functions[0].file_offset, /^\d+$/);
});

test('where nothing is found, targets inspect says what was looked for', async () => {
  const { code, stdout } = await launch(['targets', 'inspect', '/bin/sh']);
  assert.equal(code, 1);
  assert.match(stdout, /nothing: its TLS cannot be read\n/);
  assert.match(stdout, /not openssl-symbols: no symbol SSL_read or SSL_write\n/);
  assert.match(stdout, /not openssl-static: .*\n {2}not boringssl: /);
});

test('what is no program is an error', async () => {
  const text = await launch(['targets', 'inspect', '/etc/passwd']);
  assert.deepEqual([text.code, text.stdout], [1, '']);
  assert.match(text.stderr, /^undersight: \/etc\/passwd is no 64-bit ELF file\n/);
  const none = await launch(['targets', 'inspect', '/nonexistent']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^undersight: \/nonexistent cannot be read: ENOENT/);
});

for (const command of [['targets'], ['targets', 'inspect']]) {
  test(`undersight ${command.join(' ')} --help has examples`, async () => {
    const { code, stdout } = await launch([...command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /\nExamples:\n {2}\S/);
  });
}
