import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Scenario } from '../mock-llm/scenario.ts';
import { type MockExchange, startMockLlm } from '../mock-llm/server.ts';
import { buildRustlsClient } from '../rustls-client/build.ts';
import { descend, isAgent, isChat, isFile, isProcess, isTool, outline, type TraceNode } from './trace.ts';
import { agents, createWorkspace, python, type RunResult } from './workspace.ts';

const commands = ['exec cat first.txt', 'exec cat second.txt'];
const scenario: Scenario = {
  turns: [
    {
      text: 'I will read both.',
      reasoning: 'Two files, two calls.',
      calls: commands.map((command) => ({ name: 'shell', arguments: { command } })),
      usage: { input_tokens: 120, output_tokens: 40, cache_read_tokens: 64 },
    },
    { text: 'Read: {prompt}', usage: { input_tokens: 180, output_tokens: 9, cache_read_tokens: 64 } },
  ],
};

const sdkAgents = [
  {
    name: 'the Node openai SDK (chat completions)',
    command: ['node', join(agents, 'openai-node.mjs'), 'chat'],
    provider: 'openai',
  },
  {
    name: 'the Node openai SDK (responses)',
    command: ['node', join(agents, 'openai-node.mjs'), 'responses'],
    provider: 'openai',
  },
  { name: 'the Node Anthropic SDK', command: ['node', join(agents, 'anthropic-node.mjs')], provider: 'anthropic' },
  { name: 'the Python openai SDK', command: [python, join(agents, 'openai_python.py')], provider: 'openai' },
  { name: 'the Python Anthropic SDK', command: [python, join(agents, 'anthropic_python.py')], provider: 'anthropic' },
];

for (const { name, command, provider } of sdkAgents) {
  for (const stream of [false, true]) {
    test(`an agent on ${name}, ${stream ? 'streaming' : 'not streaming'}, gives the right tree`, async (t) => {
      const mock = await startMockLlm({ scenario, encodings: ['br', 'gzip'] });
      const workspace = createWorkspace(t, mock);
      writeFileSync(workspace.path('first.txt'), 'one');
      writeFileSync(workspace.path('second.txt'), 'two');
      const result = await workspace.run(stream ? [...command, '--stream'] : command);
      assertUndisturbed(result, 'Read: Do what is needed.\n');
      assert.equal(mock.exchanges.length, 2);

      const chats = assertOneTurn(result, mock.exchanges);
      for (const chat of chats) {
        assert.equal(chat.attributes['gen_ai.provider.name'], provider);
        assert.equal(chat.attributes['server.port'], mock.port);
        assert.equal(chat.attributes['gen_ai.request.stream'] ?? false, stream);
        if (stream) assert.ok(Number(chat.attributes['gen_ai.response.time_to_first_chunk']) > 0);
      }
      const tools = chats.flatMap((chat) => chat.children.filter(isTool));
      assert.deepEqual(
        tools.map((tool) => tool.attributes['gen_ai.tool.call.id']).sort(),
        [...(mock.exchanges[0]?.call_ids ?? [])].sort(),
        outline(result.spans),
      );
      assertToolRead(tools, mock.exchanges[0]?.call_ids[0], 'first.txt', workspace.path('first.txt'), result);
      assertToolRead(tools, mock.exchanges[0]?.call_ids[1], 'second.txt', workspace.path('second.txt'), result);
    });
  }
}

for (const version of ['http1.1', 'http2'] as const) {
  for (const stream of [false, true]) {
    test(`curl over ${version}, ${stream ? 'streaming' : 'not streaming'}, gives one chat`, async (t) => {
      const mock = await startMockLlm({ scenario: { turns: [{ text: 'Hello back.' }] }, http2: version === 'http2' });
      const workspace = createWorkspace(t, mock);
      const body = JSON.stringify({ model: 'gpt-5-mini', stream, messages: [{ role: 'user', content: 'Hello' }] });
      const headers = [
        '-H',
        'content-type: application/json',
        '-H',
        'authorization: Bearer sk-0123456789abcdefghijklmnop',
      ];
      const url = `${mock.url}/v1/chat/completions`;
      const result = await workspace.run(['curl', '-sS', `--${version}`, url, ...headers, '-d', body]);
      assertUndisturbed(result, mock.exchanges[0]?.response_body.toString() ?? '');
      assertOneTurn(result, mock.exchanges);
      assert.doesNotMatch(JSON.stringify(result.spans.map((span) => span.attributes)), /0123456789abcdef/);
    });
  }
}

const rustls = buildRustlsClient();

for (const stream of [false, true]) {
  const name = `a program on rustls, ${stream ? 'streaming' : 'not streaming'}, gives one chat`;
  test(name, { skip: 'skip' in rustls && rustls.skip }, async (t) => {
    assert.ok('client' in rustls);
    const mock = await startMockLlm({ scenario: { turns: [{ text: 'Hello back.' }] } });
    const workspace = createWorkspace(t, mock);
    const body = JSON.stringify({ model: 'gpt-5-mini', stream, messages: [{ role: 'user', content: 'Hello' }] });
    const head = [
      'POST /v1/chat/completions HTTP/1.1',
      `Host: localhost:${mock.port}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const request = `${head.join('\r\n')}\r\n\r\n${body}`;
    const result = await workspace.run([rustls.client, String(mock.port), mock.authority_path, '1.3', request]);
    assertUndisturbed(result, '');
    assertOneTurn(result, mock.exchanges);
  });
}

/** The agent printed what it prints without us, and its exit code came through. */
function assertUndisturbed(result: RunResult, stdout: string): void {
  assert.equal(result.stdout, stdout, result.stderr);
  assert.equal(result.code, 0, result.stderr);
}

/** One trace, one root `invoke_agent`, and a chat below it for each exchange, with its numbers. */
function assertOneTurn({ spans }: RunResult, exchanges: readonly MockExchange[]): TraceNode[] {
  assert.equal(new Set(spans.map((span) => span.trace_id)).size, 1, outline(spans));
  const roots = spans.filter((span) => span.parent_span_id === undefined);
  assert.equal(roots.length, 1, outline(spans));
  assert.ok(roots[0] !== undefined && isAgent(roots[0]), outline(spans));
  assert.equal(descend(roots[0]).length, spans.length, `spans without a way to the root${outline(spans)}`);
  const chats = roots[0].children.filter(isChat);
  assert.deepEqual(
    chats.map(({ attributes }) => ({
      id: attributes['gen_ai.response.id'],
      model: attributes['gen_ai.request.model'],
      status: attributes['http.response.status_code'] ?? 200,
      input_tokens: attributes['gen_ai.usage.input_tokens'],
      output_tokens: attributes['gen_ai.usage.output_tokens'],
      cached_tokens: attributes['gen_ai.usage.cache_read.input_tokens'],
    })),
    exchanges.map((exchange) => ({
      id: exchange.response_id,
      model: exchange.model,
      status: exchange.status,
      ...usageSaid(exchange),
    })),
    outline(spans),
  );
  for (const chat of chats) assert.equal(chat.kind, 3);
  for (const span of descend(roots[0])) assert.ok(span.end_ns >= span.start_ns, `${span.name} ends before it starts`);
  return chats;
}

/** What the answer on the wire said: a chat completions stream says nothing unless it was asked to. */
function usageSaid({ response_body, usage }: MockExchange) {
  const said = /"usage":\{/.test(response_body.toString('utf8'))
    ? (usage ?? { input_tokens: 100, output_tokens: 20 })
    : undefined;
  return {
    input_tokens: said?.input_tokens,
    output_tokens: said?.output_tokens,
    cached_tokens: said === undefined ? undefined : (usage?.cache_read_tokens ?? 0),
  };
}

function assertToolRead(
  tools: readonly TraceNode[],
  id: string | undefined,
  argument: string,
  path: string,
  { spans }: RunResult,
): void {
  const tool = tools.find((candidate) => candidate.attributes['gen_ai.tool.call.id'] === id);
  assert.ok(tool, outline(spans));
  assert.equal(tool.attributes['gen_ai.tool.name'], 'shell');
  const reader = descend(tool)
    .filter(isProcess)
    .find((process) => (process.attributes['process.command_args'] as string[] | undefined)?.includes(argument));
  assert.ok(reader, `no process with ${argument} under ${tool.name}${outline(spans)}`);
  assert.equal(reader.attributes['process.executable.name'], 'cat');
  assert.equal(reader.attributes['process.exit.code'], 0);
  const files = descend(reader).filter(isFile);
  assert.ok(
    files.some((file) => file.attributes['file.path'] === path),
    `${path} not under ${reader.name}${outline(spans)}`,
  );
}
