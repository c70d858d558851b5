import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readElf } from '../../../src/targets/elf.ts';
import type { FoundTls } from '../../../src/targets/tls/inspect-tls.ts';
import { createLocationCache, locationCachePath } from '../../../src/targets/tls/location-cache.ts';
import { buildElf } from './elf-builder.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-cache-'));
after(() => fs.rmSync(home, { recursive: true }));

const FOUND: FoundTls = {
  families: ['boringssl'],
  functions: [{ name: 'SSL_read', file_offset: 0x1000n }],
  evidence: ['SSL_read: by its looks'],
};
let count = 0;
const newDirectory = () => path.join(home, `cache-${count++}`);

/** A program, and what a cache in `directory` does with it. */
function openProgram(directory: string, code = '554889e5') {
  const file = path.join(home, `program-${count++}`);
  fs.writeFileSync(file, buildElf({ functions: [{ name: 'main', code: [code] }], strings: [] }).bytes);
  let now_ms = 1_000_000;
  const use = <T>(
    action: (cache: ReturnType<typeof createLocationCache>, elf: never, stat: fs.BigIntStats) => T,
  ): T => {
    const fd = fs.openSync(file, 'r');
    try {
      return action(
        createLocationCache(directory, () => now_ms),
        readElf(fd) as never,
        fs.fstatSync(fd, { bigint: true }),
      );
    } finally {
      fs.closeSync(fd);
    }
  };
  return {
    file,
    passHours: (hours: number) => {
      now_ms += hours * 3_600_000;
    },
    confirm: (functions: FoundTls['functions']) => use((cache, _elf, stat) => cache.confirm(stat, functions)),
    isConfirmed: (functions: FoundTls['functions']) => use((cache, _elf, stat) => cache.isConfirmed(stat, functions)),
    read: () => use((cache, elf, stat) => cache.read(elf, stat)),
    write: (found: FoundTls | null) => use((cache, elf, stat) => cache.write(elf, stat, found)),
    refuse: (functions: FoundTls['functions']) =>
      use((cache, _elf, stat) => cache.refuse(stat, functions, 'moves ciphertext')),
    readRefusal: (functions?: FoundTls['functions']) => use((cache, _elf, stat) => cache.readRefusal(stat, functions)),
  };
}

test('what was found once is known the next time, also that nothing was found', () => {
  const directory = newDirectory();
  const [program, other] = [openProgram(directory), openProgram(directory)];
  assert.equal(program.read(), undefined);
  program.write(FOUND);
  other.write(null);
  assert.deepEqual(program.read(), FOUND);
  assert.equal(other.read(), null);
});

test('functions that turned out to be others are not given again, and why is known', () => {
  const program = openProgram(newDirectory());
  program.write(FOUND);
  assert.equal(program.readRefusal(), undefined);
  program.refuse(FOUND.functions);
  assert.equal(program.read(), null);
  assert.equal(program.readRefusal(FOUND.functions), 'moves ciphertext');
  assert.equal(program.readRefusal(), 'moves ciphertext');
  // What was found beside them was refused with them.
  program.refuse([...FOUND.functions, { name: 'rustls_encrypt', file_offset: 0x3000n }]);
  assert.equal(program.readRefusal(FOUND.functions), 'moves ciphertext');
  // Another place in the same file is another matter: somebody may have listed it since.
  assert.equal(program.readRefusal([{ name: 'SSL_read', file_offset: 0x2000n }]), undefined);
});

test('a day later, functions that turned out to be others are tried again', () => {
  const program = openProgram(newDirectory());
  program.write(FOUND);
  program.refuse(FOUND.functions);
  program.passHours(23);
  assert.equal(program.read(), null);
  program.passHours(2);
  assert.deepEqual(program.read(), FOUND);
  assert.equal(program.readRefusal(), undefined);
});

test('functions that use has confirmed stay known as such, beside what was found', () => {
  const program = openProgram(newDirectory());
  const other = { name: 'rustls_encrypt', file_offset: 0x3000n } as const;
  assert.equal(program.isConfirmed(FOUND.functions), false);
  program.confirm(FOUND.functions);
  assert.equal(program.read(), undefined);
  program.write(FOUND);
  assert.equal(program.isConfirmed(FOUND.functions), true);
  assert.deepEqual(program.read(), FOUND);
  assert.equal(program.isConfirmed([...FOUND.functions, other]), false);
  program.confirm([other]);
  assert.equal(program.isConfirmed([...FOUND.functions, other]), true);
  assert.equal(program.isConfirmed([]), false);
});

test('a file that changed, or is another one with the same content, is looked into anew', () => {
  const directory = newDirectory();
  const program = openProgram(directory);
  program.write(FOUND);
  assert.equal(openProgram(directory).read(), undefined);
  fs.appendFileSync(program.file, 'more');
  assert.equal(program.read(), undefined);
});

test('an entry whose functions begin otherwise than the file has them is not used', () => {
  const directory = newDirectory();
  const program = openProgram(directory);
  program.write(FOUND);
  const entry = path.join(directory, fs.readdirSync(directory)[0] as string);
  fs.writeFileSync(entry, fs.readFileSync(entry, 'utf8').replace('554889e5', '554889e6'));
  assert.equal(program.read(), undefined);
});

test('malformed entries are ignored, and replaced', () => {
  const directory = newDirectory();
  const program = openProgram(directory);
  program.write(FOUND);
  const entry = path.join(directory, fs.readdirSync(directory)[0] as string);
  for (const content of [
    '',
    '{',
    '[]',
    '{"found":1}',
    '{"found":{"families":["boringssl"],"functions":[]}}',
    'x'.repeat(99_999),
  ]) {
    fs.writeFileSync(entry, content);
    assert.equal(program.read(), undefined, content.slice(0, 60));
  }
  program.write(FOUND);
  assert.deepEqual(program.read(), FOUND);
});

test('a directory that others may write to, or that is none, is not used', () => {
  const shared = newDirectory();
  const program = openProgram(shared);
  program.write(FOUND);
  fs.chmodSync(shared, 0o770);
  assert.equal(program.read(), undefined);
  program.write(null);
  fs.chmodSync(shared, 0o700);
  assert.deepEqual(program.read(), FOUND);
  const link = newDirectory();
  fs.symlinkSync(shared, link);
  openProgram(link).write(FOUND);
  assert.equal(fs.readdirSync(shared).length, 1);
});

test('only its owner can read it, and it does not grow without end', () => {
  const directory = newDirectory();
  const program = openProgram(directory);
  program.write(FOUND);
  assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
  for (const name of fs.readdirSync(directory))
    assert.equal(fs.statSync(path.join(directory, name)).mode & 0o777, 0o600);
  for (let index = 0; index < 300; index++) fs.writeFileSync(path.join(directory, `${index}.json`), '');
  openProgram(directory).write(FOUND);
  assert.equal(fs.readdirSync(directory).length, 256);
});

test('the cache lies where such things lie, or where the environment says', () => {
  assert.equal(locationCachePath({ UNDERSIGHT_CACHE: '/c', XDG_CACHE_HOME: '/x' }, 0), '/c/tls');
  assert.equal(locationCachePath({ UNDERSIGHT_CACHE: '/c', XDG_CACHE_HOME: '/x' }, 1000), '/c/tls');
  assert.equal(locationCachePath({ UNDERSIGHT_CACHE: 'relative' }, 0), '/var/cache/undersight/tls');
  assert.equal(locationCachePath({ XDG_CACHE_HOME: '/x', HOME: '/h' }, 0), '/var/cache/undersight/tls');
  assert.equal(locationCachePath({ XDG_CACHE_HOME: '/x', HOME: '/h' }, 1000), '/x/undersight/tls');
  assert.equal(locationCachePath({ XDG_CACHE_HOME: 'relative', HOME: '/h' }, 1000), '/h/.cache/undersight/tls');
});
