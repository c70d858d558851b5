import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGlobMatcher } from '../../src/model/glob.ts';

const cases: readonly (readonly [glob: string, matching: readonly string[], other: readonly string[]])[] = [
  ['/a/*', ['/a/b', '/a/.env'], ['/a', '/a/b/c']],
  ['/a/**', ['/a', '/a/b', '/a/.env', '/a/.ssh/x', '/a/b/.c/d'], ['/ab', '/b/a', '/']],
  ['**/.env', ['/.env', '/a/.env', '/a/.b/.env', '.env'], ['/a/x.env', '/a/.env/x']],
  ['/a/**/z/*.txt', ['/a/z/1.txt', '/a/b/z/c/z/.txt'], ['/a/z/b/1.txt', '/a/b/z.txt']],
  ['/a?c', ['/abc', '/a.c'], ['/ac', '/a/c']],
  ['/home/{ann,bob}/x{,.bak}', ['/home/ann/x', '/home/bob/x.bak'], ['/home/eve/x', '/home/ann/x.old']],
  ['/app/[id]/{x}.(ts)', ['/app/[id]/{x}.(ts)'], ['/app/i/x.ts']],
  ['/a*b*c', ['/abc', '/axbxbxc'], ['/axbx', '/a']],
];

test('a glob matches the paths that it says, and no others', () => {
  for (const [glob, matching, other] of cases) {
    const matches = createGlobMatcher([glob]);
    assert.deepEqual([...matching, ...other].filter(matches), matching, glob);
  }
});

test('no path holds the matcher for long', () => {
  const matches = createGlobMatcher([`/${'*a'.repeat(50)}b`, `${'**/a/'.repeat(50)}b`]);
  assert.equal(matches(`/${'a'.repeat(4000)}`), false);
  assert.equal(matches('/a'.repeat(2000)), false);
});
