import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { numberedWords } from '../mock-llm/numbered-words.ts';
import type { Scenario } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import type { MockWebSocketOptions } from '../mock-llm/websocket.ts';
import { isAgent, isChat, isTool, outline, type TraceNode } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const agent = ['node', join(agents, 'responses-websocket.mjs')];
const withContent = { environment: { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' } };
const ERROR = 2;
const scenario: Scenario = {
  turns: [
    { text: 'I look.', calls: [{ name: 'shell', arguments: { command: 'exec cat note.txt' } }] },
    { text: 'It says: grüße 🥊', usage: { input_tokens: 180, output_tokens: 9, cache_read_tokens: 64 } },
  ],
};

const compressions: readonly { readonly name: string; readonly compression: MockWebSocketOptions['compression'] }[] = [
  { name: 'no compression', compression: false },
  { name: 'compression with context takeover', compression: { threshold: 0 } },
  {
    name: 'compression without context takeover',
    compression: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  },
  {
    name: 'compression with a small window',
    compression: { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  },
];

function textOf(chat: TraceNode | undefined, attribute: string): string {
  const messages = JSON.parse(String(chat?.attributes[attribute] ?? '[]')) as { parts: { content?: string }[] }[];
  return messages.flatMap(({ parts }) => parts.map((part) => part.content ?? '')).join('');
}

for (const { name, compression } of compressions) {
  test(`an agent over a WebSocket with ${name} gives one turn, with its calls, tool and usage`, async (t) => {
    const mock = await startMockLlm({ scenario, websocket: { compression } });
    const workspace = createWorkspace(t, mock);
    writeFileSync(workspace.path('note.txt'), 'grüße');
    const result = await workspace.run([...agent, '--warm-up'], withContent);
    assert.equal(result.stdout, 'It says: grüße 🥊\n', result.stderr);
    assert.equal(mock.websocket_exchanges.length, 3);
    assert.equal(result.spans.filter(isAgent).length, 1, outline(result.spans));
    const chats = result.spans.filter(isChat).sort((a, b) => Number(a.start_ns - b.start_ns));
    assert.deepEqual(
      chats.map(({ attributes }) => attributes['gen_ai.response.id']),
      mock.websocket_exchanges.map(({ response_id }) => response_id),
    );
    const last = chats.at(-1);
    assert.equal(last?.attributes['gen_ai.usage.input_tokens'], 180);
    assert.equal(last?.attributes['gen_ai.usage.cache_read.input_tokens'], 64);
    assert.equal(last?.attributes['gen_ai.conversation.id'], 'session-7');
    assert.equal(last?.attributes['server.port'], mock.port);
    assert.equal(textOf(last, 'gen_ai.output.messages'), 'It says: grüße 🥊');
    assert.equal(textOf(chats[1], 'gen_ai.input.messages'), 'Do what is needed.');
    const tools = result.spans.filter(isTool);
    assert.equal(tools.length, 1, outline(result.spans));
    assert.equal(tools[0]?.children.length, 1, outline(result.spans));
    for (const chat of chats) assert.equal(chat.status_code === ERROR, false, outline(result.spans));
  });
}

test('1 MB asked and 1 MB answered over a compressed WebSocket, no byte missing', async (t) => {
  const text = numberedWords(1_000_000);
  const mock = await startMockLlm({ scenario: { turns: [{ text }] }, websocket: { compression: { threshold: 0 } } });
  const workspace = createWorkspace(t, mock);
  const prompt = numberedWords(1_000_001);
  writeFileSync(workspace.path('prompt.txt'), prompt);
  const result = await workspace.run([...agent, '--prompt-file', workspace.path('prompt.txt')], withContent);
  assert.equal(result.stdout, '1000000\n', result.stderr);
  const [chat] = result.spans.filter(isChat);
  assert.ok(textOf(chat, 'gen_ai.input.messages') === prompt, 'the prompt differs');
  assert.ok(textOf(chat, 'gen_ai.output.messages') === text, 'the answer differs');
});

const faults = [
  { kind: 'error_event', error_type: 'server_error' },
  { kind: 'disconnect', error_type: 'cut' },
  { kind: 'close', error_type: 'cut' },
] as const;
for (const { kind, error_type } of faults) {
  test(`a WebSocket with the fault "${kind}" in the middle of a response is an error on its chat`, async (t) => {
    const turn = { text: 'Never whole', fault: { kind, after_events: 4 } };
    const mock = await startMockLlm({ scenario: { turns: [turn] }, websocket: { compression: { threshold: 0 } } });
    const workspace = createWorkspace(t, mock);
    const result = await workspace.run(agent, withContent);
    assert.equal(result.code, 1, result.stderr);
    const chats = result.spans.filter(isChat);
    assert.equal(chats.length, 1, outline(result.spans));
    assert.equal(chats[0]?.status_code, ERROR);
    assert.equal(chats[0]?.attributes['error.type'], error_type);
    assert.equal(chats[0]?.attributes['gen_ai.response.id'], mock.websocket_exchanges[0]?.response_id);
    const deltas = (mock.websocket_exchanges[0]?.events ?? []).map((event) => JSON.parse(event) as { delta?: string });
    assert.equal(textOf(chats[0], 'gen_ai.output.messages'), deltas.map(({ delta }) => delta ?? '').join(''));
  });
}

test('an agent that is refused a WebSocket and falls back to a stream has the calls of the stream', async (t) => {
  const mock = await startMockLlm({ scenario, websocket: { compression: false, refused: true } });
  const workspace = createWorkspace(t, mock);
  writeFileSync(workspace.path('note.txt'), 'grüße');
  const result = await workspace.run(agent);
  assert.equal(result.stdout, 'It says: grüße 🥊\n', result.stderr);
  assert.deepEqual(
    result.spans
      .filter(isChat)
      .map(({ attributes }) => attributes['gen_ai.response.id'])
      .sort(),
    mock.exchanges.map(({ response_id }) => response_id).sort(),
  );
});
