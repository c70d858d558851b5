import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ollamaChat, ollamaEmbeddings, ollamaGenerate } from '../../src/providers/ollama.ts';
import { parse, post, status, whole } from './exchange-fixture.ts';

const head = post('localhost:11434', '/api/chat');
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('an Ollama request', () => {
  test('to chat is read with its options, messages and tools', () => {
    const { provider, request } = parse(ollamaChat, head, {
      model: 'qwen3:8b',
      options: { temperature: 0.5, top_p: 0.9, top_k: 40, num_predict: 100, seed: 7, stop: ['END'], num_ctx: 8192 },
      format: { type: 'object' },
      think: true,
      tools: [{ type: 'function', function: { name: 'run', description: 'Runs', parameters: { type: 'object' } } }],
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hi', images: ['AAAA'] },
        {
          role: 'assistant',
          content: '',
          thinking: 'hm',
          tool_calls: [
            { id: 'call_1', function: { index: 0, name: 'run', arguments: { cmd: 'ls' } } },
            { function: { name: 'now' } },
          ],
        },
        { role: 'tool', tool_name: 'run', tool_call_id: 'call_1', content: 'a.txt' },
        { role: 'tool', tool_name: 'now', content: 'noon' },
        { role: 'narrator', content: 'x' },
      ],
    });
    assert.equal(provider, 'ollama');
    assert.deepEqual(plain(request), {
      operation: 'chat',
      model: 'qwen3:8b',
      stream: true,
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      stop_sequences: ['END'],
      output_type: 'json',
      system_instructions: [],
      messages: [
        { role: 'system', parts: [{ type: 'text', content: 'Be brief.' }] },
        {
          role: 'user',
          parts: [
            { type: 'text', content: 'hi' },
            { type: 'blob', modality: 'image', mime_type: null, content: 'AAAA' },
          ],
        },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'hm' },
            { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'ls' } },
            { type: 'tool_call', id: null, name: 'now', arguments: {} },
          ],
        },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: 'a.txt' }] },
        { role: 'tool', parts: [{ type: 'tool_call_response', id: null, response: 'noon' }] },
      ],
      tools: [{ type: 'function', name: 'run', description: 'Runs', parameters: { type: 'object' } }],
      attributes: {},
    });
  });

  test('to generate continues a prompt', () => {
    const body = { model: 'm', system: 'Be brief.', prompt: 'Once', stream: false, options: { num_predict: -1 } };
    const { request } = parse(ollamaGenerate, post('localhost:11434', '/api/generate'), body);
    assert.equal(request.operation, 'text_completion');
    assert.equal(request.stream, false);
    assert.equal(request.max_tokens, undefined);
    assert.deepEqual(request.system_instructions, [{ type: 'text', content: 'Be brief.' }]);
    assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'Once' }] }]);
  });

  test('for embeddings has one input or several', () => {
    for (const body of [{ input: ['a', 7, 'b'] }, { input: 'a' }, { prompt: 'a' }]) {
      const { request } = parse(ollamaEmbeddings, post('localhost:11434', '/api/embed'), { model: 'm', ...body });
      assert.equal(request.operation, 'embeddings');
      assert.deepEqual(request.messages[0]?.parts[0], { type: 'text', content: 'a' });
    }
  });

  test('is known by its client, its server, or by going to a machine of one’s own', () => {
    const matches = (host: string, agent = 'x/1') =>
      ollamaChat.matches(post(host, '/api/chat', { 'user-agent': agent }));
    for (const host of ['localhost:8443', '127.0.0.1', '[::1]:443', 'gpu-box', 'ollama.com', 'ollama.internal:80']) {
      assert.equal(matches(host), true, host);
    }
    assert.equal(matches('models.example.com'), false);
    assert.equal(matches('models.example.com', 'ollama-python/0.6.1 (x86_64 linux) Python/3.11'), true);
    assert.equal(ollamaChat.matches(post('models.example.com', '/ollama/api/chat')), true);
    assert.equal(ollamaChat.matches(post('localhost:11434', '/api/tags')), false);
  });
});

const say = (message: object, more: object = {}) => ({
  model: 'qwen3:8b',
  message: { role: 'assistant', content: '', ...message },
  done: false,
  ...more,
});
const end = { done: true, done_reason: 'stop', prompt_eval_count: 20, eval_count: 9 };
const lines = [
  say({ thinking: 'let me ' }),
  say({ thinking: 'see' }),
  say({ content: 'I {' }),
  say({ content: '"look.\n' }),
  say({ tool_calls: [{ id: 'call_1', function: { name: 'run', arguments: { cmd: 'echo "}"' } } }] }),
  say({ tool_calls: [{ function: { name: 'now', arguments: {} } }] }),
  say({}, end),
];
const ndjson = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

describe('an Ollama response', () => {
  test('is put together from its lines', () => {
    const { complete, response, error, malformed } = whole(ollamaChat, head, {}, ndjson);
    assert.equal(complete, true);
    assert.equal(error, undefined);
    assert.equal(malformed, undefined);
    assert.deepEqual(response, {
      model: 'qwen3:8b',
      finish_reasons: ['stop'],
      messages: [
        {
          role: 'assistant',
          finish_reason: 'tool_call',
          parts: [
            { type: 'reasoning', content: 'let me see' },
            { type: 'text', content: 'I {"look.\n' },
            { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'echo "}"' } },
            { type: 'tool_call', id: null, name: 'now', arguments: {} },
          ],
        },
      ],
      tool_calls: [
        { id: 'call_1', name: 'run', arguments: { cmd: 'echo "}"' }, complete_ns: 9n },
        { id: '', name: 'now', arguments: {}, complete_ns: 9n },
      ],
      usage: { input_tokens: 20, output_tokens: 9 },
      attributes: {},
    });
  });

  test('reads the same whole', () => {
    const body = say({ content: 'hello' }, { ...end, done_reason: 'length' });
    const { complete, response } = whole(ollamaChat, head, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response.finish_reasons, ['length']);
    assert.deepEqual(response.messages, [
      { role: 'assistant', finish_reason: 'length', parts: [{ type: 'text', content: 'hello' }] },
    ]);
  });

  test('to a prompt is a text', () => {
    const body = [
      { model: 'm', response: 'up', done: false },
      { model: 'm', response: 'on', ...end },
    ];
    const { response } = whole(ollamaGenerate, head, {}, body.map((line) => JSON.stringify(line)).join('\n'));
    assert.deepEqual(response.messages[0]?.parts, [{ type: 'text', content: 'upon' }]);
  });

  test('of embeddings tells its usage', () => {
    const body = { model: 'm', embeddings: [[0.1]], prompt_eval_count: 3 };
    const { complete, response } = whole(ollamaEmbeddings, head, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response.usage, { input_tokens: 3 });
  });

  test('that is cut off anywhere holds the lines that came whole, and has no end', () => {
    fc.assert(
      fc.property(fc.nat(ndjson.length - 2), (cut) => {
        const text = ndjson.slice(0, cut);
        const { complete, response, malformed } = whole(ollamaChat, head, {}, text);
        const came = text.split('\n').filter((line) => {
          try {
            return JSON.parse(line);
          } catch {
            return false;
          }
        });
        assert.equal(complete, false);
        assert.deepEqual(response.finish_reasons, []);
        assert.equal(response.tool_calls.length, Math.max(0, came.length - 4));
        assert.equal(malformed, came.length > 0 ? undefined : 'not JSON');
      }),
      { numRuns: 100 },
    );
  });

  test('that breaks off with an error says so', () => {
    const { error, complete } = whole(ollamaChat, head, {}, `${JSON.stringify(lines[0])}\n{"error":"out of memory"}\n`);
    assert.deepEqual(error, { type: '_OTHER', message: 'out of memory' });
    assert.equal(complete, true);
  });

  test('that refuses the request is an error of that status', () => {
    const { error } = whole(ollamaChat, head, {}, { error: "model 'x' not found" }, status(404));
    assert.deepEqual(error, { type: '404', message: "model 'x' not found" });
  });

  test('a line that is no JSON is told, and the rest is read', () => {
    const { malformed, response } = whole(ollamaChat, head, {}, `oops\n{x}\n${ndjson}`);
    assert.equal(malformed, 'not JSON');
    assert.equal(response.tool_calls.length, 2);
  });
});
