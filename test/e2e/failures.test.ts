import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { isChat, outline } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const chatAgent = ['node', join(agents, 'openai-node.mjs'), 'chat', '--stream'];
const ERROR = 2;

test('an agent killed in the middle of a stream ends its chat with an error', async (t) => {
  const mock = await startMockLlm({
    scenario: { turns: [{ text: 'Never whole', fault: { kind: 'hold', after_events: 3 } }] },
  });
  const workspace = createWorkspace(t, mock);
  const result = await workspace.run(['/bin/sh', '-c', `echo $$ >pid; exec ${chatAgent.join(' ')}`], {
    meanwhile: async () => {
      while (mock.exchanges.length === 0) await sleep(50);
      await sleep(200);
      process.kill(Number(readFileSync(workspace.path('pid'), 'utf8')), 'SIGKILL');
    },
  });
  assert.equal(result.code, 128 + 9, result.stderr);
  const chats = result.spans.filter(isChat);
  assert.equal(chats.length, 1, outline(result.spans));
  assert.equal(chats[0]?.status_code, ERROR);
  assert.ok(chats[0]?.attributes['error.type']);
  assert.equal(chats[0]?.attributes['gen_ai.response.id'], mock.exchanges[0]?.response_id);
});

const failures: readonly { readonly name: string; readonly turn: Turn; readonly error_type: RegExp }[] = [
  {
    name: 'a call refused with 429',
    turn: { error: { status: 429, type: 'rate_limit_exceeded', message: 'slow down' } },
    error_type: /429|rate_limit/,
  },
  {
    name: 'an error in the middle of a stream',
    turn: { text: 'x', fault: { kind: 'error_event', after_events: 2 } },
    error_type: /./,
  },
  {
    name: 'a connection lost in the middle of a stream',
    turn: { text: 'x', fault: { kind: 'disconnect', after_events: 2 } },
    error_type: /./,
  },
];
for (const { name, turn, error_type } of failures) {
  test(`${name} is an error on its chat, and the agent sees the same as without us`, async (t) => {
    const mock = await startMockLlm({ scenario: { turns: [turn] } });
    const workspace = createWorkspace(t, mock);
    const alone = await workspace.command(chatAgent);
    const watched = await workspace.run(chatAgent);
    assert.equal(watched.code, alone.code);
    assert.equal(watched.stdout, alone.stdout);
    const chats = watched.spans.filter(isChat);
    assert.equal(chats.length, 1, outline(watched.spans));
    assert.equal(chats[0]?.status_code, ERROR);
    assert.match(String(chats[0]?.attributes['error.type']), error_type);
  });
}

test('the exit code and the signal of the command come through', async (t) => {
  const workspace = createWorkspace(t, undefined);
  assert.equal((await workspace.run(['/bin/sh', '-c', 'exit 7'])).code, 7);
  assert.equal((await workspace.run(['/bin/sh', '-c', 'kill -TERM $$'])).code, 128 + 15);
  assert.equal((await workspace.undersight('run', '--', '/nowhere/at-all')).code, 127);
});

test('without privileges there is one error that says what to do', async (t) => {
  const workspace = createWorkspace(t, undefined);
  // Still uid 0, so that the checkout may lie anywhere, but without a single capability.
  const unprivileged = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
  const result = await workspace.command([
    ...unprivileged,
    join(import.meta.dirname, '../../undersight'),
    'run',
    '--',
    'true',
  ]);
  assert.notEqual(result.code, 0);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, /root|CAP_BPF|capabilit|sudo/i);
  assert.doesNotMatch(result.stderr, /\n\s+at /, 'a stack trace is not for users');
});

test('a trace that cannot be written is told, and where it is instead', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const undersight = join(import.meta.dirname, '../../undersight');
  const cases = [
    { script: '"$0" run --format json --output /dev/full -- true', place: '/dev/full', code: 1 },
    { script: '"$0" run --format json -- sh -c "exit 3" >/dev/full', place: 'standard output', code: 3 },
  ];
  for (const { script, place, code } of cases) {
    const result = await workspace.command(['timeout', '60', '/bin/sh', '-c', script, undersight]);
    assert.equal(result.code, code, result.stderr);
    const told = /^undersight: Cannot write (.*): ENOSPC.*\n {2}The trace is in the store: undersight (.*)\n$/.exec(
      result.stderr,
    );
    assert.equal(told?.[1], place, result.stderr);
    const shown = await workspace.undersight(...(told?.[2] ?? '').split(' '));
    assert.equal(shown.code, 0, shown.stderr);
  }
});

test('what outlives the command is told and marked as open; --wait has it to its end', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const command = (seconds: number) => ['/bin/sh', '-c', `(exec sleep ${seconds}) >/dev/null 2>&1 & exit 5`];
  const cut = await workspace.run(command(60));
  assert.equal(cut.code, 5);
  assert.match(cut.stderr, /^undersight: 1 process \((sleep|sh) \d+\) outlived the command.*\n.*--wait/);
  const whole = await workspace.run(command(3), { options: ['--wait'] });
  assert.equal(whole.code, 5);
  assert.equal(whole.stderr, '');
  const sleepIsOpen = (spans: typeof cut.spans) =>
    spans.find(({ name }) => name.includes('sleep'))?.attributes['undersight.open'] === true;
  assert.equal(sleepIsOpen(cut.spans), true, outline(cut.spans));
  assert.equal(sleepIsOpen(whole.spans), false, outline(whole.spans));
});
