import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Scenario } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { agents, createWorkspace, root } from './workspace.ts';

const scenario: Scenario = {
  turns: [
    {
      calls: [
        { name: 'shell', arguments: { command: 'cat /etc/hostname' } },
        { name: 'shell', arguments: { command: 'cat /etc/hosts; id -un' } },
      ],
    },
    { text: 'done' },
  ],
};

test('a replay in another directory, without root, equals the live trace byte for byte', async (t) => {
  const mock = await startMockLlm({ scenario, encodings: ['br'] });
  const workspace = createWorkspace(t, mock);
  const recording = workspace.path('run.rec');
  const command = ['node', join(agents, 'openai-node.mjs'), 'chat', '--stream'];
  const live = await workspace.run(command, { options: ['--record', recording] });
  assert.equal(live.code, 0, live.stderr);
  assert.equal(statSync(recording).mode & 0o777, 0o600, 'a recording holds plaintext');

  mkdirSync(workspace.path('elsewhere'));
  // Still uid 0, so that the checkout may lie anywhere, but without a single capability.
  const unprivileged = 'setpriv --bounding-set=-all --inh-caps=-all --no-new-privs';
  const undersight = `${join(root, 'undersight')} replay ${recording} --format otlp-json --output replayed.json`;
  const replayed = await workspace.command(['/bin/sh', '-c', `cd elsewhere && exec ${unprivileged} ${undersight}`], {
    environment: { UNDERSIGHT_STORE: workspace.path('elsewhere/traces.db') },
  });
  assert.equal(replayed.code, 0, replayed.stderr);
  const bytes = readFileSync(workspace.path('elsewhere/replayed.json'));
  assert.ok(readFileSync(live.trace_path).equals(bytes), 'the replayed trace differs');
});

test('what record saves of a command, replay shows', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const recording = workspace.path('command.rec');
  const recorded = await workspace.undersight('record', recording, '--', '/bin/sh', '-c', 'exit 7');
  assert.equal(recorded.code, 7, recorded.stderr);
  const replayed = await workspace.undersight('replay', recording);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.match(replayed.stdout, /exit 7/);
});
