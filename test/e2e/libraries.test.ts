import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { startMockLlm } from '../mock-llm/server.ts';
import { probedIn } from './probed-process.ts';
import { isChat, outline } from './trace.ts';
import { createWorkspace, type RunResult } from './workspace.ts';

const REQUEST = JSON.stringify({
  model: 'gpt-5-mini',
  messages: [{ role: 'user', content: 'Hello from a container.' }],
});
const scenario = { turns: [{ text: 'Hello.', usage: { input_tokens: 12, output_tokens: 3, cache_read_tokens: 0 } }] };

function find(command: string): string | undefined {
  try {
    return realpathSync(execFileSync('/bin/sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim());
  } catch {
    return undefined;
  }
}

function checkChat({ spans, code, stderr }: RunResult) {
  assert.equal(code, 0, stderr);
  const [chat, ...more] = spans.filter(isChat);
  assert.ok(chat, outline(spans));
  assert.deepEqual(more, []);
  assert.equal(chat.attributes['gen_ai.request.model'], 'gpt-5-mini');
  assert.equal(chat.attributes['gen_ai.usage.output_tokens'], 3);
}

test('an LLM call through GnuTLS (wget) is in the trace', async (t) => {
  const wget = find('wget');
  if (wget === undefined) return t.skip('no wget');
  if (!/gnutls/i.test(execFileSync('ldd', [wget], { encoding: 'utf8' })))
    return t.skip('this wget does not use GnuTLS');
  const mock = await startMockLlm({ scenario });
  const workspace = createWorkspace(t, mock);
  const headers = ['--header', 'content-type: application/json', '--header', 'authorization: Bearer sk-none'];
  const certificates = ['--ca-certificate', mock.authority_path];
  const command = [wget, '-qO-', ...certificates, ...headers, '--post-data', REQUEST];
  checkChat(await workspace.run([...command, `https://localhost:${mock.port}/v1/chat/completions`]));
});

test('a program with its own root, mounts and libraries, as in a container, is read', async (t) => {
  const curl = find('curl');
  if (curl === undefined) return t.skip('no curl');
  const mock = await startMockLlm({ scenario });
  const workspace = createWorkspace(t, mock);
  const container = workspace.path('container');
  const put = (file: string, name = file) => {
    mkdirSync(dirname(join(container, name)), { recursive: true });
    copyFileSync(file, join(container, name));
  };
  for (const [file] of execFileSync('ldd', [curl], { encoding: 'utf8' }).matchAll(/\/\S+/g)) put(file);
  put(curl, '/bin/client');
  put(mock.authority_path, '/ca.pem');
  // Copies of libraries, which nobody has seen before, are found once they are loaded: the client first waits for somebody
  // else, who answers when there is a probe.
  const slow = http.createServer((_request, response) => {
    probedIn('container/bin/client', /\/libssl/).then(
      () => response.end(),
      (error) => response.destroy(error),
    );
  });
  await once(slow.listen(0, '127.0.0.1'), 'listening');
  t.after(() => slow.close());
  const wait = [`http://127.0.0.1:${(slow.address() as AddressInfo).port}`, '--next'];
  const client = ['/bin/client', ...wait, '--silent', '--cacert', '/ca.pem'];
  const command = ['unshare', '--mount', `--root=${container}`, ...client];
  const body = ['-H', 'content-type: application/json', '-d', REQUEST];
  checkChat(await workspace.run([...command, ...body, `https://127.0.0.1:${mock.port}/v1/chat/completions`]));
});
