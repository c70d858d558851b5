import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findInstalledAgents } from '../../src/cli/doctor/agent-findings.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-agents-'));
after(() => rmSync(directory, { recursive: true }));

test('of an installed agent, doctor says how its TLS is read, or that its calls will be missing', () => {
  assert.equal(findInstalledAgents({ PATH: directory }).detail, 'none of the known ones in PATH');

  const gemini = join(directory, 'gemini');
  writeFileSync(gemini, `#!${realpathSync(process.execPath)}\n`, { mode: 0o755 });
  const read = findInstalledAgents({ PATH: directory });
  assert.equal(read.status, 'ok');
  assert.equal(read.detail, `gemini-cli (${gemini}): TLS is read (openssl-symbols)`);

  const goose = join(directory, 'goose');
  copyFileSync('/bin/true', goose);
  const unread = findInstalledAgents({ PATH: directory });
  assert.equal(unread.status, 'fallback');
  assert.deepEqual(unread.detail.split('\n'), [
    `goose (${goose}): no TLS library that is read; LLM calls will be missing`,
    read.detail,
  ]);
  assert.match(unread.fix, /targets inspect/);
});
