import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openAiResponses } from '../../src/providers/openai.ts';
import { parse, post, status, stream, whole } from './exchange-fixture.ts';

const head = post('api.openai.com', '/v1/responses');

describe('a Responses request', () => {
  test('is read with its parameters, instructions, items and tools', () => {
    const { request } = parse(openAiResponses, head, {
      model: 'gpt-5',
      stream: true,
      max_output_tokens: 50,
      instructions: 'Be brief.',
      previous_response_id: 'resp_0',
      conversation: { id: 'conv_1' },
      text: { format: { type: 'json_object' } },
      tools: [
        { type: 'function', name: 'run', description: 'Runs', parameters: { type: 'object' }, strict: true },
        { type: 'custom', name: 'apply_patch' },
        { type: 'web_search' },
        { type: 'namespace', name: 'mcp', tools: [{ type: 'function', name: 'fetch' }] },
      ],
      input: [
        { role: 'developer', content: [{ type: 'input_text', text: 'rules' }] },
        { type: 'message', role: 'user', content: 'go' },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'xx' },
        { type: 'function_call', call_id: 'call_1', name: 'run', arguments: '{"cmd":"ls"}' },
        { type: 'custom_tool_call', call_id: 'call_2', name: 'apply_patch', input: '*** x' },
        { type: 'local_shell_call', call_id: 'call_3', action: { type: 'exec', command: ['ls'] } },
        { type: 'function_call_output', call_id: 'call_1', output: 'a.txt' },
        { type: 'custom_tool_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'done' }] },
        { type: 'local_shell_call_output', id: 'call_3', output: '{}' },
        { type: 'item_reference', id: 'x' },
      ],
    });
    assert.deepEqual(JSON.parse(JSON.stringify(request)), {
      operation: 'chat',
      model: 'gpt-5',
      stream: true,
      max_tokens: 50,
      output_type: 'json',
      conversation_id: 'conv_1',
      previous_response_id: 'resp_0',
      system_instructions: [{ type: 'text', content: 'Be brief.' }],
      messages: [
        { role: 'system', parts: [{ type: 'text', content: 'rules' }] },
        { role: 'user', parts: [{ type: 'text', content: 'go' }] },
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'hm' },
            { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'ls' } },
            { type: 'tool_call', id: 'call_2', name: 'apply_patch', arguments: '*** x' },
            { type: 'tool_call', id: 'call_3', name: 'local_shell', arguments: { type: 'exec', command: ['ls'] } },
          ],
        },
        {
          role: 'tool',
          parts: [
            { type: 'tool_call_response', id: 'call_1', response: 'a.txt' },
            { type: 'tool_call_response', id: 'call_2', response: 'done' },
            { type: 'tool_call_response', id: 'call_3', response: '{}' },
          ],
        },
      ],
      tools: [
        { type: 'function', name: 'run', description: 'Runs', parameters: { type: 'object' } },
        { type: 'custom', name: 'apply_patch' },
        { type: 'web_search', name: 'web_search' },
        { type: 'function', name: 'fetch' },
      ],
      attributes: { 'openai.api.type': 'responses' },
    });
  });

  test('a text as input is what the user says', () => {
    const { request } = parse(openAiResponses, head, { model: 'm', input: 'hello', conversation: 'conv_2' });
    assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hello' }] }]);
    assert.equal(request.conversation_id, 'conv_2');
  });

  test('is known by where its path stands', () => {
    const matches = (target: string) => openAiResponses.matches(post('h', target));
    for (const path of ['/v1/responses', '/responses', '/backend-api/codex/responses', '/openai/v1/responses?x=1']) {
      assert.equal(matches(path), true, path);
    }
    for (const path of ['/surveys/responses', '/v1/responses/resp_1/cancel', '/v1/responses/compact']) {
      assert.equal(matches(path), false, path);
    }
  });
});

const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'run', arguments: '{"cmd":"ls"}' };
const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look' }] };
const reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] };
const shell = { type: 'local_shell_call', call_id: 'call_2', action: { command: ['pwd'] } };
const search = { type: 'web_search_call', id: 'ws_1', action: { query: 'q' } };
const output = [reasoning, message, call, shell, search];

const added = (output_index: number, item: object) => ({ type: 'response.output_item.added', output_index, item });
const done = (output_index: number, item: object) => ({ type: 'response.output_item.done', output_index, item });
const usage = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 5 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 4 },
};
const ended = (type: string, more: object) => ({
  type,
  response: { id: 'resp_1', model: 'gpt-5-2025', service_tier: 'default', usage, output: [], ...more },
});

const events = [
  { type: 'response.created', response: { id: 'resp_1', model: 'gpt-5-2025', status: 'in_progress', output: [] } },
  added(0, { type: 'reasoning', summary: [] }),
  { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'hm' },
  done(0, reasoning),
  added(1, { type: 'message', role: 'assistant', content: [] }),
  { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'I ' },
  { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'look' },
  done(1, message),
  added(2, { ...call, arguments: '' }),
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"cmd":' },
  { type: 'response.function_call_arguments.delta', output_index: 2, delta: '"ls"}' },
  done(2, call),
  done(3, shell),
  done(4, search),
  { type: 'response.something_of_tomorrow', output_index: 0 },
  ended('response.completed', { status: 'completed' }),
];

const parts = [
  { type: 'reasoning', content: 'hm' },
  { type: 'text', content: 'I look' },
  { type: 'tool_call', id: 'call_1', name: 'run', arguments: { cmd: 'ls' } },
  { type: 'tool_call', id: 'call_2', name: 'local_shell', arguments: { command: ['pwd'] } },
  { type: 'tool_call', id: 'ws_1', name: 'web_search', arguments: { query: 'q' } },
];

describe('a Responses response', () => {
  test('is put together from its stream', () => {
    const { complete, response, error } = stream(openAiResponses, head, {}, events);
    assert.equal(complete, true);
    assert.equal(error, undefined);
    assert.deepEqual(response, {
      id: 'resp_1',
      model: 'gpt-5-2025',
      finish_reasons: ['tool_call'],
      messages: [{ role: 'assistant', parts, finish_reason: 'tool_call' }],
      tool_calls: [
        { id: 'call_1', name: 'run', arguments: { cmd: 'ls' }, complete_ns: 12n },
        { id: 'call_2', name: 'local_shell', arguments: { command: ['pwd'] }, complete_ns: 13n },
      ],
      usage: { input_tokens: 20, output_tokens: 9, cache_read_input_tokens: 5, reasoning_output_tokens: 4 },
      service_tier: 'default',
      attributes: { 'openai.response.service_tier': 'default' },
    });
  });

  test('reads the same whole', () => {
    const body = ended('', { status: 'completed', output }).response;
    const { response } = whole(openAiResponses, head, {}, body);
    assert.deepEqual(response.messages, [{ role: 'assistant', parts, finish_reason: 'tool_call' }]);
    assert.deepEqual(
      response.tool_calls.map(({ id, complete_ns }) => [id, complete_ns]),
      [
        ['call_1', 9n],
        ['call_2', 9n],
      ],
    );
  });

  test('that is cut off holds what its deltas brought, and no tool call that is not whole', () => {
    const { complete, response } = stream(openAiResponses, head, {}, events.slice(0, 10));
    assert.equal(complete, false);
    assert.deepEqual(response.tool_calls, []);
    assert.deepEqual(response.messages[0]?.parts.at(-1), {
      type: 'tool_call',
      id: 'call_1',
      name: 'run',
      arguments: '{"cmd":',
    });
    const text = stream(openAiResponses, head, {}, events.slice(0, 6)).response;
    assert.deepEqual(text.messages[0]?.parts.at(-1), { type: 'text', content: 'I ' });
  });

  test('that hit a limit ends with that', () => {
    const end = ended('response.incomplete', {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    const { response, error } = stream(openAiResponses, head, {}, [...events.slice(0, 8), end]);
    assert.deepEqual(response.finish_reasons, ['length']);
    assert.equal(error, undefined);
  });

  test('that failed says why', () => {
    const failed = { status: 'failed', error: { code: 'server_error', message: 'm' } };
    const { error, response } = stream(openAiResponses, head, {}, [ended('response.failed', failed)]);
    assert.deepEqual(error, { type: 'server_error', message: 'm' });
    assert.deepEqual(response.finish_reasons, ['error']);
  });

  test('that breaks off with an error says which, in either form', () => {
    const flat = { type: 'error', code: 'rate_limit_exceeded', message: 'm', param: null };
    const nested = { type: 'error', error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'm' } };
    for (const event of [flat, nested]) {
      const { error, complete } = stream(openAiResponses, head, {}, [event]);
      assert.deepEqual(error, { type: 'rate_limit_exceeded', message: 'm' });
      assert.equal(complete, true);
    }
  });

  test('that refuses the request names the error', () => {
    const body = { error: { type: 'invalid_request_error', message: 'm' } };
    assert.equal(whole(openAiResponses, head, {}, body, status(400)).error?.type, 'invalid_request_error');
  });
});
