import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startMockLlm } from '../mock-llm/server.ts';
import { agents, createWorkspace, python } from './workspace.ts';

test('a program whose TLS cannot be read is named, with the reason, and its connection is marked', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'unheard' }] } });
  const workspace = createWorkspace(t, mock);
  const { hostname, port } = new URL(mock.url);
  const request = [python, join(agents, 'unknown_tls_python.py'), hostname, port];
  const result = await workspace.run(['/bin/sh', '-c', `${request.join(' ')}; ${request.join(' ')}`]);
  assert.equal(result.code, 0, result.stderr);
  const notices = result.stderr.split('\n').filter((line) => line.includes('cannot be read'));
  assert.equal(notices.length, 1, result.stderr);
  assert.match(
    notices[0] ?? '',
    /^undersight: TLS of \/\S*python\S* \(pid \d+\) cannot be read: .*those calls are missing$/,
  );
  const marks = result.spans.flatMap(({ attributes }) => attributes['undersight.capture.unread_protocol'] ?? []);
  assert.deepEqual(marks, ['tls', 'tls']);
});

test('a program whose TLS is read is not', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'heard' }] } });
  const workspace = createWorkspace(t, mock);
  const result = await workspace.run(['node', join(agents, 'openai-node.mjs'), 'chat']);
  assert.doesNotMatch(result.stderr, /cannot be read/);
});
