import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_FRAMES, MAX_STACK_BYTES, readStackDepths } from '../../bpf/stack-depth.ts';

/** What clang makes of a program. */
function compile(source: string): Buffer {
  return execFileSync('clang', ['-O2', '-g', '-mcpu=v3', '-target', 'bpf', '-x', 'c', '-c', '-', '-o', '-'], {
    input: `
static long (*use)(void *, unsigned) = (void *)4;
static long (*loop)(unsigned, void *, void *, unsigned long long) = (void *)181;
${source}`,
  });
}

test('a program needs what its frames and those of what it calls take, each in steps of 32 bytes', () => {
  const [depth, ...others] = readStackDepths(
    compile(`
static __attribute__((noinline)) int inner(int n) { char room[72]; use(room, n); return room[0]; }
static __attribute__((noinline)) int outer(int n) { char room[40]; use(room, n); return room[0] + inner(n); }
__attribute__((section("raw_tp"), used)) int program(long *context) { return outer(*context) + inner(*context); }`),
  );
  assert.deepEqual(others, []);
  assert.equal(depth?.program, 'program');
  assert.deepEqual(
    depth?.chain.map(({ name }) => name),
    ['program', 'outer', 'inner'],
  );
  assert.equal(depth?.bytes, 32 + 64 + 96);
});

test('what a loop calls counts', () => {
  const [depth] = readStackDepths(
    compile(`
static long step(unsigned index, void *context) { char room[200]; use(room, index); return room[0]; }
__attribute__((section("uprobe"), used)) int program(void *context) { loop(9, step, 0, 0); return 0; }`),
  );
  assert.deepEqual(depth, {
    program: 'program',
    bytes: 32 + 224,
    frames: 2,
    chain: [
      { name: 'program', bytes: 24 },
      { name: 'step', bytes: 200 },
    ],
  });
});

test('every program loads where kernels give it no stack of its own', () => {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../bpf/build.ts')]);
  const depths = readStackDepths(readFileSync(join(import.meta.dirname, '../../bpf/undersight.bpf.o')));
  assert.ok(depths.some(({ program }) => program === 'handle_recvmmsg'));
  assert.deepEqual(
    depths.filter(({ bytes, frames }) => bytes > MAX_STACK_BYTES || frames > MAX_FRAMES),
    [],
  );
});
