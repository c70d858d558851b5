import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findSystemLibraries } from '../../src/targets/tls-files.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { isChat, outline } from './trace.ts';
import { agents, createWorkspace, python } from './workspace.ts';

test('a program whose TLS is not read is named, with the reason, and its connection is marked', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'unheard' }] } });
  const workspace = createWorkspace(t, mock);
  const { hostname, port } = new URL(mock.url);
  const request = [python, join(agents, 'unknown_tls_python.py'), hostname, port];
  const result = await workspace.run(['/bin/sh', '-c', `${request.join(' ')}; ${request.join(' ')}`]);
  assert.equal(result.code, 0, result.stderr);
  const notices = result.stderr.split('\n').filter((line) => line.includes('is not read'));
  assert.equal(notices.length, 1, result.stderr);
  assert.match(
    notices[0] ?? '',
    /^undersight: TLS of \/\S*python\S* \(pid \d+\) is not read, or not all: .*those calls are missing$/,
  );
  const marks = result.spans.flatMap(({ attributes }) => attributes['undersight.capture.unread_protocol'] ?? []);
  assert.deepEqual(marks, ['tls', 'tls']);
});

test('a program whose TLS is read is not', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'heard' }] } });
  const workspace = createWorkspace(t, mock);
  const result = await workspace.run(['node', join(agents, 'openai-node.mjs'), 'chat']);
  assert.doesNotMatch(result.stderr, /is not read/);
});

test('a TLS library that was installed by the agent is read from its first call on', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'heard' }] } });
  const workspace = createWorkspace(t, mock);
  const library = findSystemLibraries().find((file) => /\/libssl\.so\.3/.test(file));
  assert.ok(library, 'there is no libssl.so.3 to copy');
  const body = JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Hello' }] });
  const ask = `curl -sS --fail -H 'content-type: application/json' -d '${body}' ${mock.url}/v1/chat/completions`;
  const steps = ['mkdir lib', `cp ${library} lib/libssl.so.3`, 'sleep 1', `LD_LIBRARY_PATH=$PWD/lib ${ask}`];
  const result = await workspace.run(['/bin/sh', '-ec', steps.join('\n')]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.spans.filter(isChat).length, 1, outline(result.spans));
});
