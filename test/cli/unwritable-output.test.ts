import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, root } from './launch.ts';

const throughShell = (script: string) => launch(['-c', script, join(root, 'undersight')], { program: '/bin/sh' });

test('a full device is told in two lines, and fails the command', async () => {
  const { code, stderr } = await throughShell('"$0" version >/dev/full');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^undersight: Cannot write standard output: ENOSPC.*\n {2}Make room.*\n$/);
});

test('a full device for standard error fails the command in silence', async () => {
  const { code, stdout } = await throughShell('"$0" traces ls --store /nowhere/at-all.db 2>/dev/full');
  assert.equal(code, 1);
  assert.equal(stdout, '');
});

test('a reader that has gone away is no failure', async () => {
  const { code, stderr } = await throughShell('{ sleep 1; "$0" --help; echo "code $?" >&2; } | true');
  assert.equal(code, 0);
  assert.equal(stderr, 'code 0\n');
});
