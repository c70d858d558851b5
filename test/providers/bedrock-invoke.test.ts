import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bedrockConverse, bedrockInvoke } from '../../src/providers/bedrock.ts';
import type { StreamEvent } from '../../src/providers/provider.ts';
import { events, parse, post, whole } from './exchange-fixture.ts';

const HOST = 'bedrock-runtime.us-east-1.amazonaws.com';
const event = (name: string, body: unknown): StreamEvent => ({ event: name, data: JSON.stringify(body) });
const chunk = (body: unknown): StreamEvent =>
  event('chunk', { bytes: Buffer.from(JSON.stringify(body)).toString('base64'), p: 'abc' });

describe('InvokeModel', () => {
  const head = (model: string, stream = false) =>
    post(HOST, `/model/${model}/invoke${stream ? '-with-response-stream' : ''}`);
  const text = (response: { readonly messages: readonly { readonly parts: readonly unknown[] }[] }) =>
    response.messages[0]?.parts;

  for (const { model, request, answer, pieces, expected } of [
    {
      model: 'meta.llama3-8b-instruct-v1:0',
      request: { prompt: 'hi', max_gen_len: 100, temperature: 0.5, top_p: 0.9 },
      answer: { generation: 'Hello', prompt_token_count: 3, generation_token_count: 2, stop_reason: 'stop' },
      pieces: [
        { generation: 'Hel', prompt_token_count: 3, generation_token_count: 1, stop_reason: null },
        { generation: 'lo', prompt_token_count: null, generation_token_count: 2, stop_reason: 'stop' },
      ],
      expected: { operation: 'text_completion', max_tokens: 100, usage: { input_tokens: 3, output_tokens: 2 } },
    },
    {
      model: 'amazon.titan-text-express-v1',
      request: { inputText: 'hi', textGenerationConfig: { maxTokenCount: 100, temperature: 0.5, topP: 0.9 } },
      answer: { inputTextTokenCount: 3, results: [{ tokenCount: 2, outputText: 'Hello', completionReason: 'FINISH' }] },
      pieces: [
        { outputText: 'Hel', index: 0, totalOutputTextTokenCount: null, inputTextTokenCount: 3 },
        { outputText: 'lo', index: 0, totalOutputTextTokenCount: 2, completionReason: 'FINISH' },
      ],
      expected: { operation: 'text_completion', max_tokens: 100, usage: { input_tokens: 3, output_tokens: 2 } },
    },
    {
      model: 'mistral.mistral-7b-instruct-v0:2',
      request: { prompt: 'hi', max_tokens: 100, temperature: 0.5, top_p: 0.9 },
      answer: { outputs: [{ text: 'Hello', stop_reason: 'stop' }] },
      pieces: [{ outputs: [{ text: 'Hel', stop_reason: null }] }, { outputs: [{ text: 'lo', stop_reason: 'stop' }] }],
      expected: { operation: 'text_completion', max_tokens: 100, usage: {} },
    },
    {
      model: 'us.amazon.nova-pro-v1:0',
      request: {
        messages: [{ role: 'user', content: [{ text: 'hi' }] }],
        inferenceConfig: { max_new_tokens: 100, temperature: 0.5, topP: 0.9 },
      },
      answer: {
        output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 3, outputTokens: 2, cacheReadInputTokenCount: 0 },
      },
      pieces: [
        { messageStart: { role: 'assistant' } },
        { contentBlockDelta: { delta: { text: 'Hel' }, contentBlockIndex: 0 } },
        { contentBlockDelta: { delta: { text: 'lo' }, contentBlockIndex: 0 } },
        { messageStop: { stopReason: 'end_turn' } },
        { metadata: { usage: { inputTokens: 3, outputTokens: 2, cacheReadInputTokenCount: 0 } } },
      ],
      expected: {
        operation: 'chat',
        max_tokens: 100,
        usage: { input_tokens: 3, output_tokens: 2, cache_read_input_tokens: 0 },
      },
    },
    {
      model: 'openai.gpt-oss-120b-1:0',
      request: {
        messages: [{ role: 'user', content: 'hi' }],
        max_completion_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
      },
      answer: {
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 2 },
      },
      pieces: [
        { choices: [{ index: 0, delta: { content: 'Hel' } }] },
        { choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: 'stop' }] },
        { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
      ],
      expected: { operation: 'chat', max_tokens: 100, usage: { input_tokens: 3, output_tokens: 2 } },
    },
    {
      model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      request: {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        messages: [{ role: 'user', content: 'hi' }],
      },
      answer: {
        type: 'message',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 3, output_tokens: 2 },
      },
      pieces: [
        { type: 'message_start', message: { content: [], usage: { input_tokens: 3, output_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
        { type: 'message_stop' },
      ],
      expected: { operation: 'chat', max_tokens: 100, usage: { input_tokens: 3, output_tokens: 2 } },
    },
  ] as const) {
    test(`of ${model}: is read in its own shape, whole and in pieces`, () => {
      assert.equal(bedrockInvoke.matches(head(model)), true);
      const parsed = parse(bedrockInvoke, head(model), request);
      assert.equal(parsed.provider, 'aws.bedrock');
      assert.equal(parsed.request.model, model);
      assert.equal(parsed.request.operation, expected.operation);
      assert.equal(parsed.request.max_tokens, expected.max_tokens);
      assert.equal(parsed.request.temperature, 0.5);
      assert.equal(parsed.request.top_p, 0.9);
      assert.deepEqual(parsed.request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
      const once = whole(bedrockInvoke, head(model), request, answer);
      assert.deepEqual(text(once.response), [{ type: 'text', content: 'Hello' }]);
      assert.deepEqual(once.response.usage, expected.usage);
      assert.equal(once.complete, true);
      const streamed = events(bedrockInvoke, head(model, true), request, pieces.map(chunk));
      assert.deepEqual(text(streamed.response), [{ type: 'text', content: 'Hello' }]);
      assert.deepEqual(streamed.response.usage, expected.usage);
      assert.deepEqual(streamed.response.finish_reasons, once.response.finish_reasons);
      assert.equal(parse(bedrockInvoke, head(model, true), request).request.stream, true);
    });
  }

  test('tokens that only Bedrock counts are in its last event, or in the head', () => {
    const metrics = { inputTokenCount: 7, outputTokenCount: 9, invocationLatency: 1, firstByteLatency: 1 };
    const last = { outputs: [{ text: '', stop_reason: 'stop' }], 'amazon-bedrock-invocationMetrics': metrics };
    const model = 'mistral.mistral-7b-instruct-v0:2';
    const streamed = events(bedrockInvoke, head(model, true), { prompt: 'hi' }, [chunk(last)]);
    assert.deepEqual(streamed.response.usage, { input_tokens: 7, output_tokens: 9 });
    assert.equal(streamed.complete, true);
    const headers = new Map([
      ['x-amzn-bedrock-input-token-count', '7'],
      ['x-amzn-bedrock-output-token-count', '9'],
    ]);
    const answer = { outputs: [{ text: 'x', stop_reason: 'stop' }] };
    const once = whole(bedrockInvoke, head(model), { prompt: 'hi' }, answer, { status: 200, headers });
    assert.deepEqual(once.response.usage, { input_tokens: 7, output_tokens: 9 });
  });

  test('of an embedding model is an embedding', () => {
    const model = 'amazon.titan-embed-text-v2:0';
    const { request } = parse(bedrockInvoke, head(model), { inputText: 'hi', dimensions: 512, normalize: true });
    assert.equal(request.operation, 'embeddings');
    assert.deepEqual(request.attributes, { 'gen_ai.embeddings.dimension.count': 512 });
    const { response } = whole(bedrockInvoke, head(model), {}, { embedding: [0.1], inputTextTokenCount: 3 });
    assert.deepEqual(response.usage, { input_tokens: 3 });
    assert.deepEqual(response.messages, []);
  });

  test('is told when a stream ends with an exception', () => {
    const data = JSON.stringify({ message: 'Too many' });
    const { error, complete } = events(bedrockInvoke, head('meta.llama3-8b-instruct-v1:0', true), { prompt: 'hi' }, [
      chunk({ generation: 'Hel' }),
      { event: undefined, data, error_type: 'modelStreamErrorException' },
    ]);
    assert.deepEqual(error, { type: 'modelStreamErrorException', message: 'Too many' });
    assert.equal(complete, true);
  });

  test('is not what other paths ask for', () => {
    for (const target of [
      '/model/x/count-tokens',
      '/guardrail/g/version/1/apply',
      '/async-invoke',
      '/foundation-models',
    ]) {
      assert.equal(bedrockInvoke.matches(post(HOST, target)), false, target);
      assert.equal(bedrockConverse.matches(post(HOST, target)), false, target);
    }
  });
});
