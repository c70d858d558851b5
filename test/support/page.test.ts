import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../e2e/workspace.ts';
import { agents } from './agents.ts';
import { renderPage } from './page.ts';
import { isWhole, type TrialResult } from './trial.ts';

const [agent = assert.fail()] = agents;
const result: TrialResult = {
  agent: { ...agent, name: 'An | agent', version: '1.0' },
  manner: 'run',
  tls: { families: ['openssl-symbols'], evidence: 'symbols <SSL_read>' },
  calls: { made: 3, seen: 3, answered: 2, asked: 3, invented: 1 },
  commands: { run: 3, seen: 3 },
  mcp_calls: { made: 0, seen: 0 },
  problem: 'exit 1:\n| <b>[no](http://x)\\|',
};
const rowsOf = (page: string) => page.split('\n').filter((line) => line.startsWith('| An '));

test('what an agent prints stays within its cell of the support page, as text', () => {
  const rows = rowsOf(renderPage([result], 'Linux 1 <x>'));
  const remark = 'exit 1: \\| &lt;b>\\[no\\](http://x)\\\\\\|. 1 spans of no call';
  assert.deepEqual(rows, [
    `| An \\| agent | 1.0 | 3 of 3 | 2 of 3 | 3 of 3 | 3 of 3 |  | ${remark} |`,
    '| An \\| agent | 1.0 | openssl-symbols | symbols &lt;SSL\\_read> |',
  ]);
});

test('a trial is whole only when all that happened was seen, and nothing else', () => {
  const calls = { made: 3, seen: 3, answered: 3, asked: 3, invented: 0 };
  const whole = { ...result, calls, problem: '' };
  assert.equal(isWhole(whole), true);
  assert.equal(isWhole({ ...whole, problem: 'exit 1' }), false);
  assert.equal(isWhole({ ...whole, commands: { run: 3, seen: 2 } }), false);
  assert.equal(isWhole({ ...whole, mcp_calls: { made: 2, seen: 1 } }), false);
  for (const wrong of [{ made: 0 }, { seen: 2 }, { answered: 2 }, { asked: 2 }, { invented: 1 }]) {
    assert.equal(isWhole({ ...whole, calls: { ...calls, ...wrong } }), false, JSON.stringify(wrong));
  }
});

test('docs/support.md has every agent of `npm run support`, in its version', () => {
  const page = readFileSync(join(root, 'docs/support.md'), 'utf8').replaceAll('\\', '');
  for (const { name, version } of agents) assert.ok(page.includes(`| ${name} | ${version} |`), `${name} ${version}`);
});
