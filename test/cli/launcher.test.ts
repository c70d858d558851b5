import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launch, root } from './launch.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-launcher-'));
after(() => rmSync(directory, { recursive: true }));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A folder with a `node` that says it is of this version. */
function fakeNode(name: string, says: string): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'node'), `#!/bin/sh\necho ${says}\n`);
  chmodSync(join(folder, 'node'), 0o755);
  return folder;
}

test('it starts through symbolic links and from any directory', async () => {
  const link = join(directory, 'link');
  symlinkSync(join(root, 'undersight'), link);
  symlinkSync('link', join(directory, 'link-to-link'));
  const { code, stdout, stderr } = await launch(['--version'], { program: join(directory, 'link-to-link'), cwd: '/' });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a PATH whose Node.js is too old, or that has none, leaves it the one beside it', async () => {
  for (const PATH of [`${fakeNode('old', 'v20.19.2')}:/usr/bin:/bin`, '/bin']) {
    const { code, stdout } = await launch(['--version'], { env: { PATH } });
    assert.deepEqual([code, stdout], [0, `${version}\n`]);
  }
});

test('without any Node.js of 24 or newer it says what is missing', async () => {
  const alone = join(directory, 'alone');
  mkdirSync(alone);
  cpSync(join(root, 'undersight'), join(alone, 'undersight'));
  const env = { PATH: `${fakeNode('older', 'v20.19.2')}:/usr/bin:/bin` };
  const { code, stderr } = await launch(['--version'], { program: join(alone, 'undersight'), env });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `undersight: Node.js 24 or newer is missing (in PATH: v20.19.2)\n  Run 'npm install' in ${alone}, or name one: UNDERSIGHT_NODE=/path/to/node\n`,
  );
});

test('UNDERSIGHT_NODE is taken, and refused when it is too old', async () => {
  const taken = await launch(['--version'], { env: { UNDERSIGHT_NODE: process.execPath } });
  assert.equal(taken.code, 0);
  const refused = await launch(['--version'], {
    env: { UNDERSIGHT_NODE: join(fakeNode('oldest', 'v18.0.0'), 'node') },
  });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /UNDERSIGHT_NODE is .*oldest\/node, which is no Node.js of version 24 or newer/);
});
