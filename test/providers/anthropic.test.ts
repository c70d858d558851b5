import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anthropicMessages } from '../../src/providers/anthropic.ts';
import { parse, post, status, stream, whole } from './exchange-fixture.ts';

const head = post('api.anthropic.com', '/v1/messages?beta=true', { 'anthropic-version': '2023-06-01' });

describe('an Anthropic Messages request', () => {
  const body = {
    model: 'claude-opus-4-5',
    max_tokens: 1024,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    stop_sequences: ['END', 7],
    stream: true,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    tools: [
      { name: 'Bash', description: 'Runs a command', input_schema: { type: 'object' } },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'redacted_thinking', data: 'xxx' },
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'a.txt' }] },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'no such file', is_error: true },
          { type: 'text', text: 'and now?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          { type: 'a_block_of_tomorrow', text: 'x' },
        ],
      },
    ],
  };

  test('is read with its parameters, system, messages and tools', () => {
    const { provider, request, malformed } = parse(anthropicMessages, head, body);
    assert.equal(provider, 'anthropic');
    assert.equal(malformed, undefined);
    assert.deepEqual(JSON.parse(JSON.stringify(request)), {
      operation: 'chat',
      model: 'claude-opus-4-5',
      stream: true,
      max_tokens: 1024,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      system_instructions: [{ type: 'text', content: 'Be brief.' }],
      messages: [
        { role: 'user', parts: [{ type: 'text', content: 'hi' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'hm' },
            { type: 'reasoning', content: '' },
            { type: 'text', content: 'I look.' },
            { type: 'tool_call', id: 'toolu_1', name: 'Bash', arguments: { command: 'ls' } },
          ],
        },
        {
          role: 'tool',
          parts: [
            { type: 'tool_call_response', id: 'toolu_1', response: 'a.txt' },
            { type: 'tool_call_response', id: 'toolu_2', response: { is_error: true, content: 'no such file' } },
          ],
        },
        {
          role: 'user',
          parts: [
            { type: 'text', content: 'and now?' },
            { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
          ],
        },
      ],
      tools: [
        { type: 'function', name: 'Bash', description: 'Runs a command', parameters: { type: 'object' } },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
      attributes: {},
    });
  });

  test('counting tokens is no call to a model', () => {
    assert.equal(anthropicMessages.matches(head), true);
    assert.equal(anthropicMessages.matches(post('api.anthropic.com', '/v1/messages/count_tokens')), false);
    assert.equal(anthropicMessages.matches({ ...head, method: 'GET' }), false);
  });

  test('a body that is no JSON is malformed, and still a request', () => {
    const { request, malformed } = anthropicMessages.parseRequest(head, Buffer.from('{"model": "x'));
    assert.equal(malformed, 'the request body is not a JSON object');
    assert.deepEqual(request.messages, []);
  });
});

const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    model: 'claude-opus-4-5-20251101',
    content: [],
    usage: { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 5, output_tokens: 1 },
  },
};
const block = (index: number, content_block: unknown) => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, value: unknown) => ({ type: 'content_block_delta', index, delta: value });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const DELTA = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 42 } };

const events = [
  START,
  { type: 'ping' },
  block(0, { type: 'thinking', thinking: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'let me ' }),
  delta(0, { type: 'thinking_delta', thinking: 'see' }),
  delta(0, { type: 'signature_delta', signature: 'x' }),
  stop(0),
  block(1, { type: 'text', text: '' }),
  delta(1, { type: 'text_delta', text: 'I ' }),
  delta(1, { type: 'text_delta', text: 'look.' }),
  stop(1),
  block(2, { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '{"comm' }),
  delta(2, { type: 'input_json_delta', partial_json: 'and":"ls"}' }),
  stop(2),
  block(3, { type: 'tool_use', id: 'toolu_2', name: 'Now', input: {} }),
  stop(3),
  block(4, { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'q' } }),
  stop(4),
  DELTA,
  { type: 'message_stop' },
];

describe('an Anthropic Messages response', () => {
  test('is put together from its stream', () => {
    const { complete, response, error, malformed } = stream(anthropicMessages, head, { model: 'm' }, events);
    assert.equal(complete, true);
    assert.equal(error, undefined);
    assert.equal(malformed, undefined);
    assert.deepEqual(response, {
      id: 'msg_1',
      model: 'claude-opus-4-5-20251101',
      finish_reasons: ['tool_use'],
      messages: [
        {
          role: 'assistant',
          finish_reason: 'tool_call',
          parts: [
            { type: 'reasoning', content: 'let me see' },
            { type: 'text', content: 'I look.' },
            { type: 'tool_call', id: 'toolu_1', name: 'Bash', arguments: { command: 'ls' } },
            { type: 'tool_call', id: 'toolu_2', name: 'Now', arguments: {} },
            { type: 'tool_call', id: 'srv_1', name: 'web_search', arguments: { query: 'q' } },
          ],
        },
      ],
      tool_calls: [
        { id: 'toolu_1', name: 'Bash', arguments: { command: 'ls' }, complete_ns: 15n },
        { id: 'toolu_2', name: 'Now', arguments: {}, complete_ns: 17n },
      ],
      usage: {
        input_tokens: 115,
        output_tokens: 42,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 5,
      },
      attributes: {},
    });
  });

  test('reads the same whole', () => {
    const body = {
      id: 'msg_1',
      type: 'message',
      model: 'claude',
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'hello' }],
      usage: { input_tokens: 3, output_tokens: 4, output_tokens_details: { thinking_tokens: 2 } },
    };
    const { response } = whole(anthropicMessages, head, {}, body);
    assert.deepEqual(response, {
      id: 'msg_1',
      model: 'claude',
      finish_reasons: ['end_turn'],
      messages: [{ role: 'assistant', finish_reason: 'stop', parts: [{ type: 'text', content: 'hello' }] }],
      tool_calls: [],
      usage: { input_tokens: 3, output_tokens: 4, reasoning_output_tokens: 2 },
      attributes: {},
    });
  });

  test('tells apart what has a price of its own', () => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
      service_tier: 'standard',
    };
    const { response } = whole(anthropicMessages, head, {}, { type: 'message', content: [], usage });
    const { usage: read, service_tier } = response;
    assert.deepEqual(read, {
      input_tokens: 33,
      cache_creation_input_tokens: 30,
      cache_creation_1h_input_tokens: 10,
      web_search_count: 2,
    });
    assert.equal(service_tier, 'standard');
    const fast = { type: 'message', content: [], usage: { ...usage, speed: 'fast' } };
    assert.equal(whole(anthropicMessages, head, {}, fast).response.service_tier, 'fast');
  });

  test('arguments arrive whole however they are cut', () => {
    const input = { command: 'echo "ü\\n"', list: [1, { a: null }] };
    const text = JSON.stringify(input);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        const deltas = pieces.map((piece) => delta(0, { type: 'input_json_delta', partial_json: piece }));
        const start = block(0, { type: 'tool_use', id: 't', name: 'n', input: {} });
        const { response } = stream(anthropicMessages, head, {}, [START, start, ...deltas, stop(0)]);
        assert.deepEqual(response.tool_calls[0]?.arguments, input);
      }),
      { numRuns: 100 },
    );
  });

  test('that is cut off holds what came, but no tool call that is not whole', () => {
    const { complete, response } = stream(anthropicMessages, head, {}, events.slice(0, 13));
    assert.equal(complete, false);
    assert.deepEqual(response.tool_calls, []);
    assert.deepEqual(response.messages[0]?.parts.at(-1), {
      type: 'tool_call',
      id: 'toolu_1',
      name: 'Bash',
      arguments: '{"comm',
    });
    assert.deepEqual(response.finish_reasons, []);
  });

  test('that breaks off with an error says which', () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const { error, response } = stream(anthropicMessages, head, {}, [...events.slice(0, 10), overloaded]);
    assert.deepEqual(error, { type: 'overloaded_error', message: 'Overloaded' });
    assert.equal(response.id, 'msg_1');
  });

  test('that refuses the request names the error', () => {
    const body = { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } };
    const { error } = whole(anthropicMessages, head, {}, body, status(429));
    assert.deepEqual(error, { type: 'rate_limit_error', message: 'slow down' });
  });

  test("that is a gateway's page is an error of that status", () => {
    const { error, malformed } = whole(anthropicMessages, head, {}, '<html>502</html>', status(502));
    assert.deepEqual(error, { type: '502', message: '' });
    assert.equal(malformed, undefined);
  });

  test('an event that is no JSON is told, and the rest is read', () => {
    const { malformed, response } = stream(anthropicMessages, head, {}, ['{oops', ...events]);
    assert.equal(malformed, 'not JSON');
    assert.equal(response.tool_calls.length, 2);
  });
});
