import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bedrockConverse } from '../../src/providers/bedrock.ts';
import type { StreamEvent } from '../../src/providers/provider.ts';
import { events, parse, post, status, whole } from './exchange-fixture.ts';

const HOST = 'bedrock-runtime.us-east-1.amazonaws.com';
const NOVA = 'us.amazon.nova-pro-v1:0';
const converse = post(HOST, `/model/${encodeURIComponent(NOVA)}/converse`);
const converseStream = post(HOST, `/model/${encodeURIComponent(NOVA)}/converse-stream`);

const event = (name: string, body: unknown): StreamEvent => ({ event: name, data: JSON.stringify(body) });

describe('a Converse request', () => {
  const body = {
    system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
    inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
    additionalModelRequestFields: { top_k: 40 },
    guardrailConfig: { guardrailIdentifier: 'gr-1', guardrailVersion: '1' },
    toolConfig: {
      tools: [
        { toolSpec: { name: 'ls', description: 'Lists', inputSchema: { json: { type: 'object' } } } },
        { cachePoint: { type: 'default' } },
        { systemTool: { name: 'nova_grounding' } },
      ],
    },
    messages: [
      { role: 'user', content: [{ text: 'hi' }, { image: { format: 'png', source: { bytes: 'AAAA' } } }] },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
          { reasoningContent: { redactedContent: 'xxxx' } },
          { toolUse: { toolUseId: 't1', name: 'ls', input: { path: '.' } } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 't1', content: [{ text: 'a.txt' }], status: 'success' } },
          { toolResult: { toolUseId: 't2', content: [{ json: { n: 1 } }], status: 'error' } },
          { text: 'and now?' },
        ],
      },
    ],
  };

  test('is read with its parameters, system, messages, tools and guardrail', () => {
    assert.equal(bedrockConverse.matches(converse), true);
    const { provider, request, malformed } = parse(bedrockConverse, converse, body);
    assert.equal(provider, 'aws.bedrock');
    assert.equal(malformed, undefined);
    assert.deepEqual(JSON.parse(JSON.stringify(request)), {
      operation: 'chat',
      model: NOVA,
      stream: false,
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      system_instructions: [{ type: 'text', content: 'Be brief.' }],
      messages: [
        {
          role: 'user',
          parts: [
            { type: 'text', content: 'hi' },
            { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'hm' },
            { type: 'reasoning', content: '' },
            { type: 'tool_call', id: 't1', name: 'ls', arguments: { path: '.' } },
          ],
        },
        {
          role: 'tool',
          parts: [
            { type: 'tool_call_response', id: 't1', response: 'a.txt' },
            { type: 'tool_call_response', id: 't2', response: { is_error: true, content: { n: 1 } } },
          ],
        },
        { role: 'user', parts: [{ type: 'text', content: 'and now?' }] },
      ],
      tools: [
        { type: 'function', name: 'ls', description: 'Lists', parameters: { type: 'object' } },
        { type: 'systemTool', name: 'nova_grounding' },
      ],
      attributes: { 'aws.bedrock.guardrail.id': 'gr-1' },
    });
  });

  test('names the model, and never the account that an ARN holds', () => {
    const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${NOVA}`;
    for (const name of [NOVA, encodeURIComponent(NOVA), encodeURIComponent(arn), arn]) {
      const head = post(HOST, `/model/${name}/converse-stream`);
      assert.equal(bedrockConverse.matches(head), true, name);
      const { request } = parse(bedrockConverse, head, body);
      assert.equal(request.model, NOVA);
      assert.equal(request.stream, true);
    }
  });
});

describe('a Converse response', () => {
  const usage = {
    inputTokens: 10,
    outputTokens: 5,
    totalTokens: 45,
    cacheReadInputTokens: 20,
    cacheWriteInputTokens: 10,
    cacheDetails: [{ ttl: '1h', inputTokens: 10 }],
  };
  const counted = {
    input_tokens: 40,
    output_tokens: 5,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 10,
    cache_creation_1h_input_tokens: 10,
  };
  const parts = [
    { type: 'reasoning', content: 'hm' },
    { type: 'text', content: 'I look.' },
    { type: 'tool_call', id: 't1', name: 'ls', arguments: { path: '.' } },
  ];

  test('is put together from its events', () => {
    const { complete, response, error } = events(bedrockConverse, converseStream, {}, [
      event('messageStart', { role: 'assistant' }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'h' } } }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'm' } } }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 's' } } }),
      event('contentBlockStop', { contentBlockIndex: 0 }),
      event('contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'I ' } }),
      event('contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'look.' } }),
      event('contentBlockStop', { contentBlockIndex: 1 }),
      event('contentBlockStart', { contentBlockIndex: 2, start: { toolUse: { toolUseId: 't1', name: 'ls' } } }),
      event('contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: '{"path"' } } }),
      event('contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: ':"."}' } } }),
      event('contentBlockStop', { contentBlockIndex: 2 }),
      event('messageStop', { stopReason: 'tool_use' }),
      event('metadata', { usage, metrics: { latencyMs: 1 } }),
    ]);
    assert.equal(complete, true);
    assert.equal(error, undefined);
    assert.deepEqual(response, {
      finish_reasons: ['tool_use'],
      messages: [{ role: 'assistant', finish_reason: 'tool_call', parts }],
      tool_calls: [{ id: 't1', name: 'ls', arguments: { path: '.' }, complete_ns: 12n }],
      usage: counted,
      attributes: {},
    });
  });

  test('reads the same whole', () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'hm' } } },
      { text: 'I look.' },
      { toolUse: { toolUseId: 't1', name: 'ls', input: { path: '.' } } },
    ];
    const body = { output: { message: { role: 'assistant', content } }, stopReason: 'tool_use', usage };
    const { complete, response } = whole(bedrockConverse, converse, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response.messages, [{ role: 'assistant', finish_reason: 'tool_call', parts }]);
    assert.deepEqual(response.usage, counted);
    assert.deepEqual(response.tool_calls, [{ id: 't1', name: 'ls', arguments: { path: '.' }, complete_ns: 9n }]);
  });

  test('may end with an exception, or be refused with one', () => {
    const data = JSON.stringify({ message: 'Too many' });
    const thrown = events(bedrockConverse, converseStream, {}, [
      event('messageStart', { role: 'assistant' }),
      { event: undefined, data, error_type: 'throttlingException' },
    ]);
    assert.deepEqual(thrown.error, { type: 'throttlingException', message: 'Too many' });
    assert.equal(thrown.complete, true);
    const refusal = { ...status(400), headers: new Map([['x-amzn-errortype', 'ValidationException:http://x/']]) };
    const refused = whole(bedrockConverse, converse, {}, { message: 'Malformed' }, refusal);
    assert.deepEqual(refused.error, { type: 'ValidationException', message: 'Malformed' });
  });
});
