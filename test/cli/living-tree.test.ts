import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLivingTree } from '../../src/cli/living-tree.ts';
import type { Event } from '../../src/model/event.ts';

const event = (kind: string, pid: number, comm = '') => ({ kind, pid, comm }) as unknown as Event;

test('those that were started and have not ended are named', () => {
  const tree = createLivingTree();
  tree.see(event('process_fork', process.pid, 'sh'));
  tree.see(event('process_exec', process.pid, 'node\u001b[31m'));
  tree.see(event('process_fork', process.ppid, 'ended'));
  tree.see(event('process_exit', process.ppid));
  assert.equal(tree.isAlive(), true);
  assert.match(tree.describe() ?? '', new RegExp(`^1 process \\(node[^\u001b]* ${process.pid}\\)$`));
});

test('one whose end was not told is not taken for alive', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  const tree = createLivingTree();
  tree.see(event('process_fork', child.pid as number, 'true'));
  assert.equal(tree.isAlive(), false);
  assert.equal(tree.describe(), undefined);
});

test('what was there before is not what the command started', () => {
  const tree = createLivingTree();
  tree.see(event('process_exec', process.pid, 'node'));
  assert.equal(tree.describe(), undefined);
});
