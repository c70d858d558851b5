import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Scenario } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { isChat, outline } from './trace.ts';
import { agents, createWorkspace, python, type RunResult } from './workspace.ts';

const usage = { input_tokens: 31, output_tokens: 17 };
const scenario: Scenario = { turns: [{ text: 'You asked: {prompt}', usage }] };
const withContent = { environment: { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' } };

function onlyChat({ spans }: RunResult) {
  const chats = spans.filter(isChat);
  assert.equal(chats.length, 1, outline(spans));
  const attributes = chats[0]?.attributes ?? {};
  for (const span of spans) assert.equal(span.attributes['undersight.capture.lost_events'] ?? 0, 0);
  assert.equal(attributes['undersight.capture.gap'], undefined);
  assert.equal(attributes['gen_ai.usage.input_tokens'], usage.input_tokens);
  assert.equal(attributes['gen_ai.usage.output_tokens'], usage.output_tokens);
  return attributes;
}

const ask = (stream: boolean) =>
  JSON.stringify({ model: 'llama3.2', stream, messages: [{ role: 'user', content: 'Why is the sky blue?' }] });

for (const stream of [true, false]) {
  test(`a Python program that asks Ollama, ${stream ? 'streaming' : 'not streaming'}, gives one chat`, async (t) => {
    const mock = await startMockLlm({ scenario, plain: true });
    const workspace = createWorkspace(t, mock);
    const program = `
import json, urllib.request
request = urllib.request.Request('${mock.url}/api/chat', data=b'''${ask(stream)}''', headers={'content-type': 'application/json'})
print(sum(len(line) for line in urllib.request.urlopen(request)))`;
    const result = await workspace.run(['python3', '-c', program], withContent);
    assert.equal(result.stdout.trim(), String(mock.exchanges[0]?.response_body.length), result.stderr);
    const chat = onlyChat(result);
    assert.equal(chat['gen_ai.provider.name'], 'ollama');
    assert.equal(chat['gen_ai.request.model'], 'llama3.2');
    assert.equal(chat['server.address'], '127.0.0.1');
    assert.equal(chat['server.port'], mock.port);
    assert.match(String(chat['gen_ai.output.messages']), /You asked: Why is the sky blue\?/);
  });
}

for (const [name, command] of [
  ['Node', ['node', join(agents, 'openai-node.mjs'), 'chat', '--stream']],
  ['Python', [python, join(agents, 'openai_python.py'), '--stream']],
] as const) {
  test(`the ${name} openai SDK against a local server without TLS gives one chat`, async (t) => {
    const mock = await startMockLlm({ scenario, plain: true, encodings: ['gzip'] });
    const workspace = createWorkspace(t, mock);
    const result = await workspace.run(command, withContent);
    assert.equal(result.stdout, 'You asked: Do what is needed.\n', result.stderr);
    const chat = onlyChat(result);
    assert.equal(chat['gen_ai.response.id'], mock.exchanges[0]?.response_id);
    assert.equal(chat['server.port'], mock.port);
  });
}

test('HTTP/2 without TLS gives one chat', async (t) => {
  const mock = await startMockLlm({ scenario, plain: true, http2: true });
  const workspace = createWorkspace(t, mock);
  const url = `${mock.url}/api/chat`;
  const result = await workspace.run(['curl', '-sS', '--http2-prior-knowledge', url, '-d', ask(true)], withContent);
  assert.equal(result.stdout, mock.exchanges[0]?.response_body.toString(), result.stderr);
  assert.equal(onlyChat(result)['server.port'], mock.port);
});

test('a model behind a unix socket gives a chat that names the socket', async (t) => {
  const socket_path = `/tmp/undersight-model-${process.pid}.sock`;
  const mock = await startMockLlm({ scenario, plain: true, socket_path });
  const workspace = createWorkspace(t, mock);
  const curl = ['curl', '-sS', '--unix-socket', socket_path, 'http://localhost/api/chat', '-d', ask(false)];
  const result = await workspace.run(curl, withContent);
  assert.equal(result.stdout, mock.exchanges[0]?.response_body.toString(), result.stderr);
  const chat = onlyChat(result);
  assert.equal(chat['server.address'], socket_path);
  assert.equal(chat['server.port'], undefined);
});

test('a program that is watched as the server makes no call of what it is asked', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const program = `
import http.server, threading, urllib.request, subprocess
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        body = b'{"model":"m","message":{"role":"assistant","content":"hi"},"done":true}'
        self.send_response(200); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(subprocess.run(['curl', '-sS', 'http://127.0.0.1:%d/api/chat' % server.server_port, '-d', '{"model":"m","messages":[]}']).returncode)`;
  const { spans, stdout, stderr } = await workspace.run(['python3', '-c', program]);
  assert.match(stdout, /hi.*0/s, stderr);
  assert.equal(spans.filter(isChat).length, 1, outline(spans));
});

test('plain_http: false leaves such calls out', async (t) => {
  const mock = await startMockLlm({ scenario, plain: true });
  const workspace = createWorkspace(t, mock);
  const options = ['--set', 'receivers.undersight.plain_http=false'];
  const result = await workspace.run(['curl', '-sS', `${mock.url}/api/chat`, '-d', ask(false)], { options });
  assert.equal(result.stdout, mock.exchanges[0]?.response_body.toString(), result.stderr);
  assert.deepEqual(result.spans.filter(isChat), []);
});

test('20 MB asked and 20 MB answered, no byte missing', async (t) => {
  const words = (from: number) =>
    Array.from({ length: 2_200_000 }, (_, index) => `${from + index} `)
      .join('')
      .slice(0, 20_000_000);
  const [prompt, text] = [words(1_000_000), words(2_000_000)];
  const mock = await startMockLlm({ scenario: { turns: [{ text, usage }] }, plain: true });
  const workspace = createWorkspace(t, mock);
  writeFileSync(workspace.path('prompt.txt'), prompt);
  const command = ['node', join(agents, 'openai-node.mjs'), 'chat', '--prompt-file', workspace.path('prompt.txt')];
  const result = await workspace.run(command, withContent);
  assert.equal(result.stdout, `${text.length}\n`, result.stderr);
  const chat = onlyChat(result);
  const content = (name: string) => JSON.parse(String(chat[name])).at(-1).parts[0].content;
  // Not assert.equal: on failure it would print 20 MB.
  assert.ok(content('gen_ai.input.messages') === prompt, 'the prompt differs');
  assert.ok(content('gen_ai.output.messages') === text, 'the answer differs');
});
