import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openAiChat, openAiCompletions, openAiEmbeddings } from '../../src/providers/openai.ts';
import { parse, post, status, stream, whole } from './exchange-fixture.ts';

const head = post('api.openai.com', '/v1/chat/completions');

describe('a Chat Completions request', () => {
  test('is read with its parameters, messages and tools', () => {
    const { provider, request } = parse(openAiChat, head, {
      model: 'gpt-5',
      stream: true,
      max_completion_tokens: 100,
      temperature: 0,
      top_p: 1,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      seed: 7,
      stop: 'END',
      n: 2,
      response_format: { type: 'json_schema' },
      service_tier: 'flex',
      tools: [
        { type: 'function', function: { name: 'run', description: 'Runs', parameters: { type: 'object' } } },
        { type: 'custom', custom: { name: 'patch' } },
      ],
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'https://x/y.png' } },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'wav' } },
            { type: 'file', file: { file_id: 'file-1' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'run', arguments: '{"cmd":"ls"}' } },
            { id: 'call_2', type: 'custom', custom: { name: 'patch', input: '*** x' } },
            { id: 'call_3', type: 'function', function: { name: 'run', arguments: '{"cmd":' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'a.txt' },
        { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'done' }] },
        { role: 'narrator', content: 'x' },
      ],
    });
    assert.equal(provider, 'openai');
    assert.deepEqual(JSON.parse(JSON.stringify(request)), {
      operation: 'chat',
      model: 'gpt-5',
      stream: true,
      max_tokens: 100,
      temperature: 0,
      top_p: 1,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      seed: 7,
      stop_sequences: ['END'],
      choice_count: 2,
      output_type: 'json',
      system_instructions: [],
      messages: [
        { role: 'system', parts: [{ type: 'text', content: 'Be brief.' }] },
        {
          role: 'user',
          name: 'ann',
          parts: [
            { type: 'text', content: 'look' },
            { type: 'uri', modality: 'image', mime_type: null, uri: 'https://x/y.png' },
            { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
            { type: 'blob', modality: 'audio', mime_type: 'audio/wav', content: 'BBBB' },
            { type: 'file', modality: 'document', mime_type: null, file_id: 'file-1' },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'ls' } },
            { type: 'tool_call', id: 'call_2', name: 'patch', arguments: '*** x' },
            { type: 'tool_call', id: 'call_3', name: 'run', arguments: '{"cmd":' },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: 'a.txt' }] },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_2', response: 'done' }] },
      ],
      tools: [
        { type: 'function', name: 'run', description: 'Runs', parameters: { type: 'object' } },
        { type: 'custom', name: 'patch' },
      ],
      attributes: { 'openai.api.type': 'chat_completions', 'openai.request.service_tier': 'flex' },
    });
  });

  test('on Azure takes its model from the deployment in the path', () => {
    const azure = post('me.openai.azure.com', '/openai/deployments/gpt-4o/chat/completions?api-version=1');
    const { provider, request } = parse(openAiChat, azure, { messages: [] });
    assert.equal(provider, 'azure.ai.openai');
    assert.equal(request.model, 'gpt-4o');
  });
});

const chunk = (choice: object, more: object = {}) => ({
  id: 'chatcmpl-1',
  model: 'gpt-5-2025',
  system_fingerprint: 'fp_1',
  choices: [{ index: 0, ...choice }],
  ...more,
});
const call = (index: number, value: object) => chunk({ delta: { tool_calls: [{ index, ...value }] } });

describe('a Chat Completions response', () => {
  test('is put together from its stream, parallel tool calls by their index', () => {
    const { complete, response, error } = stream(openAiChat, head, { model: 'gpt-5' }, [
      chunk({ delta: { role: 'assistant', content: '' } }),
      chunk({ delta: { reasoning_content: 'hm' } }),
      chunk({ delta: { content: 'I lo' } }),
      chunk({ delta: { content: 'ok' } }),
      call(0, { id: 'call_1', type: 'function', function: { name: 'run', arguments: '' } }),
      call(0, { function: { arguments: '{"cmd":' } }),
      call(0, { function: { arguments: '"ls"}' } }),
      call(1, { id: 'call_2', type: 'function', function: { name: 'run', arguments: '{"cmd":"pwd"}' } }),
      chunk({ delta: {}, finish_reason: 'tool_calls' }),
      {
        id: 'chatcmpl-1',
        choices: [],
        service_tier: 'default',
        usage: {
          prompt_tokens: 20,
          completion_tokens: 30,
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 12 },
        },
      },
      '[DONE]',
    ]);
    assert.equal(complete, true);
    assert.equal(error, undefined);
    assert.deepEqual(response, {
      id: 'chatcmpl-1',
      model: 'gpt-5-2025',
      finish_reasons: ['tool_calls'],
      messages: [
        {
          role: 'assistant',
          finish_reason: 'tool_call',
          parts: [
            { type: 'reasoning', content: 'hm' },
            { type: 'text', content: 'I look' },
            { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'ls' } },
            { type: 'tool_call', id: 'call_2', name: 'run', arguments: { cmd: 'pwd' } },
          ],
        },
      ],
      tool_calls: [
        { id: 'call_1', name: 'run', arguments: { cmd: 'ls' }, complete_ns: 8n },
        { id: 'call_2', name: 'run', arguments: { cmd: 'pwd' }, complete_ns: 9n },
      ],
      usage: {
        input_tokens: 20,
        output_tokens: 30,
        cache_read_input_tokens: 8,
        reasoning_output_tokens: 12,
      },
      service_tier: 'default',
      attributes: { 'openai.response.system_fingerprint': 'fp_1', 'openai.response.service_tier': 'default' },
    });
  });

  test('says what it cost where the provider tells: as a number, or a sum and its parts', () => {
    const costOf = (cost: unknown) =>
      whole(openAiChat, head, {}, { choices: [], usage: { prompt_tokens: 1, cost } }).response.told_cost_usd;
    assert.equal(costOf(0.0025), 0.0025);
    assert.equal(costOf({ input_tokens_cost: 0.001, request_cost: 0.005, total_cost: 0.006 }), 0.006);
    for (const cost of [undefined, null, -1, '1', {}]) assert.equal(costOf(cost), undefined);
  });

  test('reads whole with several choices', () => {
    const { response } = whole(
      openAiChat,
      head,
      {},
      {
        id: 'c',
        model: 'm',
        choices: [
          {
            index: 0,
            finish_reason: 'tool_calls',
            message: {
              content: null,
              tool_calls: [
                { id: 'a', function: { name: 'f', arguments: '{}' } },
                { id: 'b', function: { name: 'g', arguments: '[1]' } },
              ],
            },
          },
          { index: 1, finish_reason: 'length', message: { content: 'text' } },
        ],
      },
    );
    assert.deepEqual(response.finish_reasons, ['tool_calls', 'length']);
    assert.deepEqual(
      response.tool_calls.map(({ id, arguments: args, complete_ns }) => [id, args, complete_ns]),
      [
        ['a', {}, 9n],
        ['b', [1], 9n],
      ],
    );
    assert.deepEqual(response.messages[1], {
      role: 'assistant',
      finish_reason: 'length',
      parts: [{ type: 'text', content: 'text' }],
    });
  });

  test('whose server gives every call the same index, or none, keeps them apart by id', () => {
    for (const index of [{ index: 0 }, {}]) {
      const delta = (id: string) => ({ tool_calls: [{ ...index, id, function: { name: 'f', arguments: `"${id}"` } }] });
      const { response } = stream(openAiChat, head, {}, [
        chunk({ delta: delta('a') }),
        chunk({ delta: delta('b') }),
        chunk({ delta: {}, finish_reason: 'tool_calls' }),
      ]);
      assert.deepEqual(
        response.tool_calls.map(({ id, arguments: args, complete_ns }) => [id, args, complete_ns]),
        [
          ['a', 'a', 2n],
          ['b', 'b', 3n],
        ],
      );
    }
  });

  test('tells how many of its tokens are sound', () => {
    const details = { prompt_tokens_details: { audio_tokens: 4 }, completion_tokens_details: { audio_tokens: 0 } };
    const heard = { choices: [], usage: { prompt_tokens: 5, ...details } };
    assert.deepEqual(whole(openAiChat, head, {}, heard).response.usage, { input_tokens: 5, input_audio_tokens: 4 });
  });

  test('whose counts are no counts has none', () => {
    const usage = { prompt_tokens: -1, completion_tokens: 1.5, prompt_tokens_details: { cached_tokens: '8' } };
    assert.deepEqual(whole(openAiChat, head, {}, { choices: [], usage }).response.usage, {});
  });

  test('that is cut off has no tool call that is not whole', () => {
    const { complete, response } = stream(openAiChat, head, {}, [
      call(0, { id: 'a', function: { name: 'f', arguments: '{}' } }),
      call(1, { id: 'b', function: { name: 'g', arguments: '{"x' } }),
    ]);
    assert.equal(complete, false);
    assert.deepEqual(response.tool_calls, [{ id: 'a', name: 'f', arguments: {}, complete_ns: 2n }]);
  });

  test('that breaks off with an error says which', () => {
    const { error } = stream(openAiChat, head, {}, [
      chunk({ delta: { content: 'I' } }),
      { error: { type: 'server_error', message: 'The server had an error' } },
    ]);
    assert.deepEqual(error, { type: 'server_error', message: 'The server had an error' });
  });

  for (const [name, code, body, expected] of [
    ['invalid', 400, { error: { type: 'invalid_request_error', code: null, message: 'm' } }, 'invalid_request_error'],
    ['rate', 429, { error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'm' } }, 'rate_limit_exceeded'],
    ['quota', 429, { error: { type: 'insufficient_quota', code: 'insufficient_quota' } }, 'insufficient_quota'],
    ['text', 500, { error: 'boom' }, '500'],
    ['google', 429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'm' } }, 'RESOURCE_EXHAUSTED'],
    ['prose', 401, { error: { type: 'you did something wrong', message: 'm' } }, '401'],
    ['html', 503, '<html>', '503'],
  ] as const) {
    test(`that refuses the request names the error (${name})`, () => {
      assert.equal(whole(openAiChat, head, {}, body, status(code)).error?.type, expected);
    });
  }
});

test('a text completion is read like a chat of one prompt', () => {
  const path = post('api.openai.com', '/v1/completions');
  assert.equal(openAiCompletions.matches(path), true);
  assert.equal(openAiCompletions.matches(head), false);
  const { request } = parse(openAiCompletions, path, { model: 'm', prompt: 'Once' });
  assert.equal(request.operation, 'text_completion');
  assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'Once' }] }]);
  const { response } = stream(openAiCompletions, path, {}, [
    { id: 'c', choices: [{ index: 0, text: ' upon' }] },
    { id: 'c', choices: [{ index: 0, text: ' a time', finish_reason: 'stop' }] },
  ]);
  assert.deepEqual(response.messages[0]?.parts, [{ type: 'text', content: ' upon a time' }]);
});

test('embeddings have a model and input tokens', () => {
  const path = post('api.openai.com', '/v1/embeddings');
  const { request } = parse(openAiEmbeddings, path, { model: 'm', input: ['a', 'b'], dimensions: 256 });
  assert.equal(request.operation, 'embeddings');
  assert.deepEqual(request.attributes, { 'gen_ai.embeddings.dimension.count': 256 });
  const body = { model: 'm-1', data: [{ embedding: [0.1] }], usage: { prompt_tokens: 2, total_tokens: 2 } };
  const { response } = whole(openAiEmbeddings, path, {}, body);
  assert.deepEqual([response.model, response.usage, response.messages], ['m-1', { input_tokens: 2 }, []]);
});
