import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Delivery } from '../mock-llm/delivery.ts';
import { numberedWords } from '../mock-llm/numbered-words.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { isChat, outline } from './trace.ts';
import { agents, createWorkspace, type RunResult } from './workspace.ts';

const withContent = { environment: { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' } };
const chatAgent = ['node', join(agents, 'openai-node.mjs'), 'chat'];

interface SentMessage {
  role: string;
  parts: { type: string; content?: string }[];
}

/** The text of the last message of a content attribute of the only chat. */
function contentOf({ spans }: RunResult, attribute: 'gen_ai.input.messages' | 'gen_ai.output.messages'): string {
  const chats = spans.filter(isChat);
  assert.equal(chats.length, 1, outline(spans));
  const messages = JSON.parse(String(chats[0]?.attributes[attribute])) as SentMessage[];
  return (messages.at(-1)?.parts ?? []).map((part) => part.content ?? '').join('');
}

for (const stream of [false, true]) {
  test(`5 MB asked and 5 MB ${stream ? 'streamed' : 'answered'}, no byte missing`, async (t) => {
    const text = numberedWords(5_000_000);
    const mock = await startMockLlm({ scenario: { turns: [{ text }] }, encodings: stream ? [] : ['gzip'] });
    const workspace = createWorkspace(t, mock);
    const prompt = numberedWords(5_000_001);
    writeFileSync(workspace.path('prompt.txt'), prompt);
    const options = ['--prompt-file', workspace.path('prompt.txt'), ...(stream ? ['--stream'] : [])];
    const result = await workspace.run([...chatAgent, ...options], withContent);
    assert.equal(result.stdout, '5000000\n', result.stderr);
    // Not assert.equal: on failure it would print 5 MB.
    assert.ok(contentOf(result, 'gen_ai.input.messages') === prompt, 'the prompt differs');
    assert.ok(contentOf(result, 'gen_ai.output.messages') === text, 'the answer differs');
    for (const span of result.spans) {
      assert.equal(span.attributes['undersight.capture.lost_events'] ?? 0, 0);
      assert.equal(span.attributes['undersight.capture.truncated_bytes'] ?? 0, 0);
    }
  });
}

const deliveries: readonly (Partial<Delivery> & { readonly name: string })[] = [
  { name: 'headers and first chunk in one read', headers_first: false },
  { name: 'headers alone, then chunks', headers_first: true },
  { name: 'a response in pieces of 3 bytes', piece_bytes: 3 },
  { name: 'a gzip stream in pieces of 100 bytes', piece_bytes: 100, encodings: ['gzip'] },
  { name: 'a brotli stream, flushed at every event', encodings: ['br'] },
];
for (const { name, ...delivery } of deliveries) {
  test(`${name}: the answer is whole`, async (t) => {
    const text = 'Zwölf Boxkämpfer jagen Viktor 🥊 '.repeat(4);
    const mock = await startMockLlm({ scenario: { turns: [{ text }] }, ...delivery });
    const workspace = createWorkspace(t, mock);
    const result = await workspace.run([...chatAgent, '--stream'], withContent);
    assert.equal(result.stdout, `${text}\n`, result.stderr);
    assert.equal(contentOf(result, 'gen_ai.output.messages'), text);
  });
}

test('a request spread over many writes is one request', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'ok' }] } });
  const workspace = createWorkspace(t, mock);
  const result = await workspace.run(['node', join(agents, 'slow-writer.mjs')], withContent);
  assert.equal(result.stdout, 'HTTP/1.1 200 OK\n', result.stderr);
  assert.equal(contentOf(result, 'gen_ai.input.messages'), 'In pieces, bitte: äöü');
});

test('4 parallel calls on 4 connections keep their questions and answers together', async (t) => {
  const mock = await startMockLlm({ scenario: { turns: [{ text: 'You asked: {prompt}' }] }, piece_bytes: 40 });
  const workspace = createWorkspace(t, mock);
  const result = await workspace.run([...chatAgent, '--stream', '--parallel', '4'], withContent);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(new Set(mock.exchanges.map((exchange) => exchange.connection)).size, 4);
  const chats = result.spans.filter(isChat);
  assert.deepEqual(
    chats.map((chat) => chat.attributes['gen_ai.response.id']).sort(),
    mock.exchanges.map((exchange) => exchange.response_id).sort(),
  );
  for (const chat of chats) {
    const exchange = mock.exchanges.find(({ response_id }) => response_id === chat.attributes['gen_ai.response.id']);
    const question = /#\d/.exec(exchange?.request_body.toString() ?? '')?.[0] ?? 'no question';
    assert.match(String(chat.attributes['gen_ai.input.messages']), new RegExp(question));
    assert.match(
      String(chat.attributes['gen_ai.output.messages']),
      new RegExp(`You asked: Do what is needed. ${question}`),
    );
  }
});
