import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anthropicMessages } from '../../src/providers/anthropic.ts';
import { openAiResponses } from '../../src/providers/openai.ts';
import { parse, post, stream, whole } from './exchange-fixture.ts';

describe('tools that Anthropic itself runs', () => {
  const head = post('api.anthropic.com', '/v1/messages', { 'anthropic-version': '2023-06-01' });
  const found = [{ type: 'web_search_result', url: 'https://a.example', title: 'A', encrypted_content: 'xx' }];
  const output = { type: 'code_execution_result', stdout: '4\n', stderr: '', return_code: 0 };
  const content = [
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
    { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: found },
    { type: 'server_tool_use', id: 'srvtoolu_2', name: 'code_execution', input: { code: 'print(4)' } },
    { type: 'code_execution_tool_result', tool_use_id: 'srvtoolu_2', content: output },
    { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'echo', server_name: 'mcp', input: { a: 1 } },
    {
      type: 'mcp_tool_result',
      tool_use_id: 'mcptoolu_1',
      is_error: true,
      content: [{ type: 'text', text: 'no' }],
    },
    { type: 'text', text: 'Cited.', citations: [{ type: 'web_search_result_location', url: 'https://a.example' }] },
    { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } },
  ];
  const parts = [
    { type: 'tool_call', id: 'srvtoolu_1', name: 'web_search', arguments: { query: 'x' } },
    { type: 'tool_call_response', id: 'srvtoolu_1', response: found },
    { type: 'tool_call', id: 'srvtoolu_2', name: 'code_execution', arguments: { code: 'print(4)' } },
    { type: 'tool_call_response', id: 'srvtoolu_2', response: output },
    { type: 'tool_call', id: 'mcptoolu_1', name: 'echo', arguments: { a: 1 } },
    { type: 'tool_call_response', id: 'mcptoolu_1', response: { is_error: true, content: 'no' } },
    { type: 'text', content: 'Cited.' },
    { type: 'tool_call', id: 'toolu_1', name: 'Bash', arguments: { command: 'ls' } },
  ];

  test('are in the answer with what they gave, and only the others are for the client to run', () => {
    const once = whole(anthropicMessages, head, {}, { type: 'message', stop_reason: 'tool_use', content });
    assert.deepEqual(once.response.messages[0]?.parts, parts);
    assert.deepEqual(
      once.response.tool_calls.map(({ id }) => id),
      ['toolu_1'],
    );
  });

  test('are read the same from a stream', () => {
    const events = content.flatMap((block, index) => {
      const { input, ...rest } = block as { input?: unknown; text?: string };
      const start = input === undefined ? rest : { ...rest, input: {} };
      const text = JSON.stringify(input);
      const deltas = input === undefined ? [] : [text.slice(0, 3), text.slice(3)];
      return [
        { type: 'content_block_start', index, content_block: start },
        ...deltas.map((partial_json) => ({
          type: 'content_block_delta',
          index,
          delta: { type: 'input_json_delta', partial_json },
        })),
        { type: 'content_block_delta', index, delta: { type: 'citations_delta', citation: { url: 'x' } } },
        { type: 'content_block_stop', index },
      ];
    });
    const { response, complete } = stream(anthropicMessages, head, {}, [...events, { type: 'message_stop' }]);
    assert.deepEqual(response.messages[0]?.parts, parts);
    assert.deepEqual(
      response.tool_calls.map(({ id }) => id),
      ['toolu_1'],
    );
    assert.equal(complete, true);
  });

  test('come back in the next request', () => {
    const { request } = parse(anthropicMessages, head, { messages: [{ role: 'assistant', content }] });
    assert.deepEqual(request.messages, [{ role: 'assistant', parts }]);
  });
});

describe('tools of the Responses API', () => {
  const head = post('api.openai.com', '/v1/responses');
  const item = (type: string, more: object) => ({ type, id: `id_${type}`, status: 'completed', ...more });
  const output = [
    item('web_search_call', { action: { type: 'search', query: 'x' } }),
    item('file_search_call', { queries: ['q'], results: [{ file_id: 'f', text: 't' }] }),
    item('code_interpreter_call', { code: 'print(4)', outputs: [{ type: 'logs', logs: '4' }] }),
    item('mcp_call', { name: 'echo', server_label: 's', arguments: '{"a":1}', output: 'one', error: null }),
    item('mcp_call', { name: 'echo', server_label: 's', arguments: '{"a":2}', output: null, error: 'refused' }),
    item('image_generation_call', { revised_prompt: 'a cat', result: 'AAAA' }),
    item('shell_call', { call_id: 'call_1', action: { commands: ['ls'] } }),
    item('apply_patch_call', { call_id: 'call_2', operation: { type: 'delete_file', path: 'x' } }),
    item('computer_call', { call_id: 'call_3', action: { type: 'screenshot' } }),
    item('message', { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }),
  ];
  const parts = [
    { type: 'tool_call', id: 'id_web_search_call', name: 'web_search', arguments: { type: 'search', query: 'x' } },
    { type: 'tool_call', id: 'id_file_search_call', name: 'file_search', arguments: ['q'] },
    { type: 'tool_call_response', id: 'id_file_search_call', response: [{ file_id: 'f', text: 't' }] },
    { type: 'tool_call', id: 'id_code_interpreter_call', name: 'code_interpreter', arguments: 'print(4)' },
    { type: 'tool_call_response', id: 'id_code_interpreter_call', response: [{ type: 'logs', logs: '4' }] },
    { type: 'tool_call', id: 'id_mcp_call', name: 'echo', arguments: { a: 1 } },
    { type: 'tool_call_response', id: 'id_mcp_call', response: 'one' },
    { type: 'tool_call', id: 'id_mcp_call', name: 'echo', arguments: { a: 2 } },
    { type: 'tool_call_response', id: 'id_mcp_call', response: { is_error: true, content: 'refused' } },
    { type: 'tool_call', id: 'id_image_generation_call', name: 'image_generation', arguments: 'a cat' },
    { type: 'tool_call', id: 'call_1', name: 'shell', arguments: { commands: ['ls'] } },
    { type: 'tool_call', id: 'call_2', name: 'apply_patch', arguments: { type: 'delete_file', path: 'x' } },
    { type: 'tool_call', id: 'call_3', name: 'computer', arguments: { type: 'screenshot' } },
    { type: 'text', content: 'No.' },
  ];

  test('are in the answer, with what those gave that OpenAI ran; the others are for the client to run', () => {
    const { response } = whole(openAiResponses, head, {}, { object: 'response', status: 'completed', output });
    assert.deepEqual(response.messages[0]?.parts, parts);
    assert.deepEqual(
      response.tool_calls.map(({ id, name }) => `${id} ${name}`),
      ['call_1 shell', 'call_2 apply_patch', 'call_3 computer'],
    );
    assert.deepEqual(response.usage, { web_search_count: 1 });
  });

  test('get their results in the next request', () => {
    const results = [
      item('shell_call_output', {
        call_id: 'call_1',
        output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit' } }],
      }),
      item('apply_patch_call_output', { call_id: 'call_2', output: 'done' }),
      item('computer_call_output', { call_id: 'call_3', output: { type: 'computer_screenshot' } }),
    ];
    const { request } = parse(openAiResponses, head, { model: 'm', input: results });
    assert.deepEqual(request.messages, [
      {
        role: 'tool',
        parts: [
          {
            type: 'tool_call_response',
            id: 'call_1',
            response: [{ stdout: 'a', stderr: '', outcome: { type: 'exit' } }],
          },
          { type: 'tool_call_response', id: 'call_2', response: 'done' },
          { type: 'tool_call_response', id: 'call_3', response: { type: 'computer_screenshot' } },
        ],
      },
    ]);
  });
});
