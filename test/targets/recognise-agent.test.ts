import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram } from '../../src/targets/invocation.ts';
import { agentRuleSchema, nameOf, recogniseAgent } from '../../src/targets/recognise-agent.ts';

const run = (executable_path: string, ...args: string[]) => ({ executable_path, args: [executable_path, ...args] });

test('agents are known by their executable or by the script that their interpreter runs', () => {
  const cases = [
    [run('/home/a/.local/share/claude/versions/claude'), 'claude-code'],
    [run('/usr/bin/node', '/usr/bin/claude', '-p', 'hi'), 'claude-code'],
    [run('/usr/bin/node', '--no-warnings', '/x/node_modules/@anthropic-ai/claude-code/cli.js'), 'claude-code'],
    [{ executable_path: '/home/a/.local/share/claude/versions/2.1.3', args: ['claude', '-p'] }, 'claude-code'],
    [run('/x/cursor-agent/versions/2025.09/node', '/x/cursor-agent/versions/2025.09/index.js'), 'cursor-agent'],
    [run('/opt/codex'), 'codex'],
    [run('/usr/bin/node24', '-r', 'hook.js', '/usr/local/bin/gemini'), 'gemini-cli'],
    [run('/venv/bin/python3.11', '/venv/bin/aider', '--yes'), 'aider'],
    [run('/usr/bin/python3', '-X', 'dev', '-m', 'aider', '--yes'), 'aider'],
  ] as const;
  for (const [invocation, name] of cases) {
    assert.deepEqual(recogniseAgent(invocation, []), { name, reason: 'catalogue' }, invocation.args.join(' '));
  }
});

test('programs that only mention an agent are none', () => {
  const cases = [
    run('/usr/bin/vim', '/usr/bin/claude'),
    run('/usr/bin/node', '-e', 'claude'),
    run('/usr/bin/node', 'server.js', 'claude'),
    run('/usr/bin/node', '/srv/notclaude'),
    run('/usr/bin/python3', '-c', 'aider'),
    run('/usr/bin/node'),
    run('/bin/bash', '-lc', 'claude'),
  ];
  for (const invocation of cases) assert.equal(recogniseAgent(invocation, []), undefined, invocation.args.join(' '));
});

test("the user's rules come before the catalogue, and need all that they name", () => {
  const rule = agentRuleSchema.parse({ name: 'mine', executable: '/usr/bin/python3*', argument: '**/agent.py' });
  const names = (...invocation: [string, ...string[]]) => recogniseAgent(run(...invocation), [rule])?.name;
  assert.equal(names('/usr/bin/python3.11', '/srv/bot/agent.py'), 'mine');
  assert.equal(names('/usr/bin/python3.11', '/srv/bot/other.py'), undefined);
  assert.equal(names('/usr/bin/perl', '/srv/bot/agent.py'), undefined);
  const override = agentRuleSchema.parse({ name: 'ours', executable: '/opt/codex' });
  assert.deepEqual(recogniseAgent(run('/opt/codex'), [override]), { name: 'ours', reason: 'rule' });
});

test('a rule without any condition is refused', () => {
  assert.equal(agentRuleSchema.safeParse({ name: 'all' }).success, false);
});

test('an unknown command is called by its script, module or executable', () => {
  assert.equal(nameOf(run('/usr/bin/node', 'src/agent.mjs', 'x')), 'agent');
  assert.equal(nameOf(run('/usr/bin/python3', '-m', 'my_agent')), 'my_agent');
  assert.equal(nameOf(run('/usr/bin/curl', 'https://x')), 'curl');
  assert.equal(nameOf(run('/usr/bin/bash', '-c', 'curl x')), 'bash');
  assert.equal(nameOf({ executable_path: '', args: [] }), 'unknown');
});

test('options that take a value do not hide the script', () => {
  assert.equal(findProgram(run('/usr/bin/node', '--import', 'a.js', '--trace', 'b.js'))?.script, 'b.js');
  assert.equal(findProgram(run('/usr/bin/bun', 'run', 'b.ts'))?.script, 'b.ts');
  assert.equal(findProgram(run('/usr/bin/curl', 'b.ts')), undefined);
});
