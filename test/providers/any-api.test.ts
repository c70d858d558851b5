import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anyApi } from '../../src/providers/any-api.ts';
import { topLevelNames } from '../../src/providers/json-names.ts';
import { parse, post, stream, whole } from './exchange-fixture.ts';

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };
const head = post('llm.example', '/x/generate', JSON_HEADERS);
const isCall = (body: unknown) => anyApi.confirms?.(head, Buffer.from(JSON.stringify(body)), 'whole');
const mayBeCall = (text: string) => anyApi.confirms?.(head, Buffer.from(text), 'beginning');
const messages = [{ role: 'user', content: 'hi' }];

describe('a request to an API that nobody knows', () => {
  for (const [name, body, request] of [
    ['messages', { model: 'm', messages }, { operation: 'chat', model: 'm' }],
    ['messages without a model', { messages, temperature: 1 }, { operation: 'chat', model: undefined }],
    ['messages as Anthropic has them', { model: 'm', system: 's', messages, max_tokens: 9 }, { operation: 'chat' }],
    ['messages as Bedrock has them', { messages, inferenceConfig: { maxTokens: 9 } }, { max_tokens: 9 }],
    ['messages under "prompt"', { prompt: messages, temperature: 1 }, { operation: 'chat' }],
    ['contents', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, { operation: 'generate_content' }],
    ['items', { model: 'm', input: [{ type: 'message', role: 'user', content: 'hi' }] }, { operation: 'chat' }],
    ['an input', { model: 'm', input: 'hi', instructions: 's' }, { operation: 'chat' }],
    ['a prompt', { prompt: 'hi', n_predict: 9 }, { operation: 'text_completion', max_tokens: 9 }],
    ['inputs', { inputs: 'hi', parameters: { max_new_tokens: 9 } }, { operation: 'text_completion', max_tokens: 9 }],
    ['texts', { model: 'my-embed', input: ['hi'] }, { operation: 'embeddings' }],
  ] as const) {
    test(`is known by its ${name}`, () => {
      assert.equal(anyApi.matches(head), true);
      assert.equal(isCall(body), true);
      const parsed = parse(anyApi, head, body);
      assert.equal(parsed.provider, '_OTHER');
      for (const [key, value] of Object.entries(request)) {
        assert.equal((parsed.request as unknown as Record<string, unknown>)[key], value, key);
      }
      const [message] = parsed.request.messages;
      assert.deepEqual(message, { role: 'user', parts: [{ type: 'text', content: 'hi' }] });
    });
  }

  test('is named after its host where that is known, and finds its model in the path where it is there', () => {
    const cloudflare = '/client/v4/accounts/1/ai/run/@cf/meta/llama-3.1-8b-instruct';
    assert.equal(
      parse(anyApi, post('h', cloudflare, JSON_HEADERS), { messages }).request.model,
      '@cf/meta/llama-3.1-8b-instruct',
    );
    const groq = post('api.groq.com', '/new/api', JSON_HEADERS);
    assert.equal(parse(anyApi, groq, { model: 'm', messages }).provider, 'groq');
  });

  for (const [name, body, answer] of [
    ['OpenAI', { choices: [{ message: { content: 'Hello' } }] }, { choices: [{ delta: { content: 'Hello' } }] }],
    [
      'OpenAI (responses)',
      {
        object: 'response',
        output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello' }] }],
      },
      { type: 'response.output_text.delta', output_index: 0, delta: 'Hello' },
    ],
    [
      'Anthropic',
      { type: 'message', content: [{ type: 'text', text: 'Hello' }] },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
    ],
    [
      'Gemini',
      { candidates: [{ content: { parts: [{ text: 'Hello' }] } }] },
      { candidates: [{ content: { parts: [{ text: 'Hello' }] } }] },
    ],
    ['Ollama', { message: { role: 'assistant', content: 'Hello' }, done: true }, undefined],
    [
      'Cohere',
      { message: { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] }, finish_reason: 'COMPLETE' },
      undefined,
    ],
    ['llama.cpp', { content: 'Hello', stop: true }, { content: 'Hello', stop: false }],
    ['Text Generation Inference', [{ generated_text: 'Hello' }], { token: { text: 'Hello' }, generated_text: null }],
  ] as const) {
    test(`may be answered as ${name} does`, () => {
      const text = (response: { messages: readonly { parts: readonly unknown[] }[] }) => response.messages[0]?.parts;
      const expected = [{ type: 'text', content: 'Hello' }];
      assert.deepEqual(text(whole(anyApi, head, { model: 'm', messages }, body).response), expected);
      if (answer === undefined) return;
      assert.deepEqual(text(stream(anyApi, head, { model: 'm', messages }, [answer]).response), expected);
    });
  }
});

describe('what is no request to a model', () => {
  for (const [name, body] of [
    ['events of Claude Code', { events: [{ event_type: 'ClaudeCodeInternalEvent', event_data: { model: 'claude' } }] }],
    ['Statsig', { events: [{ eventName: 'x', value: 1 }], statsigMetadata: { sdkType: 'js' } }],
    ['feature gates', { user: { userID: 'x', custom: { model: 'm' } }, hash: 'djb2' }],
    ['metrics over OTLP', { resourceMetrics: [{ scopeMetrics: [] }] }],
    ['logs over OTLP', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'prompt' } }] }] }] }],
    ['a report of a call', { batch: [{ type: 'generation-create', body: { model: 'm', input: messages } }] }],
    ['a report of one event', { event: 'llm_call', model: 'm', messages, temperature: 1 }],
    ['analytics', { api_key: 'x', event: '$ai_generation', properties: { $ai_input: messages } }],
    ['MCP', { jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: { messages, maxTokens: 9 } }],
    ['GraphQL', { query: 'query { models { name } }', variables: { input: 'x' } }],
    ['a memory that is given messages', { messages, user_id: 'alex' }],
    ['messages of another kind', { model: 'm', messages: [{ to: 'x', body: 'hi' }] }],
    ['a picture', { model: 'm', prompt: 'a cat', size: '512x512', n: 1 }],
    ['speech', { model: 'm', input: 'hi', voice: 'alloy' }],
    ['moderation', { model: 'omni-moderation-latest', input: 'hi' }],
    ['reranking', { model: 'm', query: 'q', documents: ['a'], prompt: 'x', temperature: 0 }],
    ['a report of what a call took', { model: 'm', messages, temperature: 0, latency_ms: 12, cost: 0.1 }],
    ['a report of what was answered', { model: 'm', input: messages, output: 'y' }],
    ['a report of what was written', { model: 'm', prompt: 'a', stream: false, stop: null, completion: 'b' }],
    ['a report of what was used', { model: 'm', messages, usage: { prompt_tokens: 3 } }],
    ['a run that was', { model: 'm', messages, run_type: 'llm', start_time: '2025-01-01' }],
    ['a conversation that is kept', { model: 'm', messages, id: 'c1', updatedAt: 1 }],
    ['a conversation that is shared', { model: 'm', messages, title: 't', public: true }],
    ['a search', { model: 'text-embed-x', input: ['a', 'b'], top_k: 3 }],
    ['a form', { prompt: 'hi', user_id: 7 }],
    ['a list', [{ model: 'm', messages }]],
    ['nothing', {}],
    ['null', null],
  ] as const) {
    test(name, () => assert.equal(isCall(body), false));
  }

  test('what is asked about a request, or of another kind, by its path', () => {
    for (const target of [
      '/v1/messages/count_tokens?beta=true',
      '/v1/responses/input_tokens',
      '/v1beta/models/gemini-2.5-pro:countTokens',
      '/v1/moderations',
      '/v1/images/generations',
      '/v1/audio/speech',
      '/v1/messages/batches',
      '/v1/rerank',
      '/tokenize',
      '/api/event_logging/batch',
      '/otlp/v1/metrics',
      '/tokenizer',
      '/v1/log',
      '/sync/history',
      '/share',
    ]) {
      assert.equal(anyApi.matches(post('h', target, JSON_HEADERS)), false, target);
    }
  });

  test('what goes to where events, files or feedback go, unless it is messages to a model', () => {
    const at = (target: string, body: unknown) => {
      const there = post('h', target, JSON_HEADERS);
      return anyApi.matches(there) && anyApi.confirms?.(there, Buffer.from(JSON.stringify(body)), 'whole');
    };
    for (const target of ['/api/events/chat', '/v1/audio/assistant', '/files/ask', '/api/feedback/llm', '/logs/sum']) {
      assert.equal(at(target, { model: 'm', temperature: 0, messages }), true, target);
      assert.equal(at(target, { messages, temperature: 0 }), false, target);
      assert.equal(at(target, { prompt: 'hi', temperature: 0 }), false, target);
      assert.equal(at(target, { event: 'llm_call', model: 'm', messages, temperature: 0 }), false, target);
    }
    assert.equal(at('/api/events', { model: 'm', temperature: 0, messages }), false);
  });

  test('what has a prompt, but neither a model nor a path that says that something is to be written', () => {
    const at = (target: string, body: unknown) =>
      anyApi.confirms?.(post('h', target, JSON_HEADERS), Buffer.from(JSON.stringify(body)), 'whole');
    const thermostat = { prompt: 'go on', temperature: 21, city: 'Paris' };
    assert.equal(at('/home', thermostat), false);
    assert.equal(at('/home', { ...thermostat, model: 'm' }), true);
    for (const path of ['/api/v1/generate', '/completion', '/endpoints/x/invocations', '/ai/run/@cf/meta/llama']) {
      assert.equal(at(path, thermostat), true, path);
    }
    assert.equal(at('/', { inputs: 'hi', parameters: { max_new_tokens: 9 } }), true);
    assert.equal(at('/', { inputs: 'hi', parameters: { top_k: 9 } }), false);
  });

  test('but not a request that asks for its usage', () => {
    assert.equal(isCall({ model: 'm', messages, usage: { include: true } }), true);
  });

  test('what is no JSON, or no POST', () => {
    assert.equal(anyApi.matches(post('h', '/x')), false);
    assert.equal(anyApi.matches(post('h', '/x', { 'content-type': 'application/x-protobuf' })), false);
    assert.equal(anyApi.matches({ ...head, method: 'GET' }), false);
    assert.equal(anyApi.confirms?.(head, Buffer.from('{"model":"m","messages":[{'), 'cut'), false);
  });
});

describe('the beginning of a body', () => {
  test('tells whether it may become a request to a model', () => {
    assert.equal(mayBeCall('{"model":"m","mess'), true);
    assert.equal(mayBeCall(' {"tools":[{"name":"x","par'), true);
    assert.equal(mayBeCall('{"events":[{"model":"m"'), false);
    assert.equal(mayBeCall('{"jsonrpc":"2.0","model":"m","pa'), false);
    assert.equal(mayBeCall('{"data":{"messages":[{"role"'), false);
    assert.equal(mayBeCall('[{"messages":['), false);
    assert.equal(mayBeCall('\u0000\u0001'), false);
  });

  test('is enough to tell a request to a model for which there is no room', () => {
    const isOne = (text: string, target = '/x') =>
      anyApi.confirms?.(post('h', target, JSON_HEADERS), Buffer.from(text), 'outgrown');
    assert.equal(isOne('{"model":"m","messages":[{"role":"user","content":"a'), true);
    assert.equal(isOne('{"messages":[{"content":"a","role":"user"}],"temperature":0,"sys'), true);
    assert.equal(isOne('{"contents":[{"parts":[{"te'), true);
    assert.equal(isOne('{"messages":[{"role":"user","content":"a'), false);
    assert.equal(isOne('{"model":"m","messages":[{"to":"x","role":"user"'), false);
    assert.equal(isOne('{"event":"x","model":"m","messages":[{"role":"user","content":"a'), false);
    assert.equal(isOne('{"model":"m","messages":[{"role":"user","content":"a', '/logs/x'), false);
  });

  test('has the names of its top level, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 3 })), (object) => {
        const text = JSON.stringify(object);
        const names = Object.keys(object).map((name) => JSON.stringify(name).slice(1, -1));
        assert.deepEqual(topLevelNames(text) ?? [], names);
        for (let end = 0; end < text.length; end++) {
          const some = topLevelNames(text.slice(0, end)) ?? [];
          assert.deepEqual(some, names.slice(0, some.length));
        }
      }),
    );
  });
});
