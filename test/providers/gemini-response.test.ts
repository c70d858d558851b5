import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { geminiEmbeddings, geminiGenerate } from '../../src/providers/gemini.ts';
import { post, status, stream, whole } from './exchange-fixture.ts';

const head = post('generativelanguage.googleapis.com', '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse');

const chunk = (part: unknown, more: object = {}, candidate: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: [part] }, index: 0, ...candidate }],
  modelVersion: 'gemini-2.5-pro-001',
  responseId: 'r1',
  ...more,
});
const shell = { functionCall: { id: 'f1', name: 'shell', args: { command: 'ls' } }, thoughtSignature: 's' };
const chunks = [
  chunk({ text: 'let me ', thought: true }, { usageMetadata: { promptTokenCount: 10 } }),
  chunk({ text: 'see', thought: true }),
  chunk({ text: 'I ' }),
  chunk({ text: 'look.' }),
  chunk(shell),
  chunk({ functionCall: { name: 'now', args: {} } }),
  chunk({ executableCode: { language: 'PYTHON', code: '1+1' } }),
  chunk({ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '2' } }),
  chunk(
    { text: '' },
    {
      usageMetadata: {
        promptTokenCount: 10,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 3,
        toolUsePromptTokenCount: 2,
        totalTokenCount: 20,
      },
    },
    { finishReason: 'STOP' },
  ),
];
const expected = (call_ns: readonly [bigint, bigint]) => ({
  id: 'r1',
  model: 'gemini-2.5-pro-001',
  finish_reasons: ['stop'],
  messages: [
    {
      role: 'assistant',
      finish_reason: 'tool_call',
      parts: [
        { type: 'reasoning', content: 'let me see' },
        { type: 'text', content: 'I look.' },
        { type: 'tool_call', id: 'f1', name: 'shell', arguments: { command: 'ls' } },
        { type: 'tool_call', id: null, name: 'now', arguments: {} },
        { type: 'tool_call', id: null, name: 'code_execution', arguments: { language: 'PYTHON', code: '1+1' } },
        { type: 'tool_call_response', id: null, response: '2' },
      ],
    },
  ],
  tool_calls: [
    { id: 'f1', name: 'shell', arguments: { command: 'ls' }, complete_ns: call_ns[0] },
    { id: '', name: 'now', arguments: {}, complete_ns: call_ns[1] },
  ],
  usage: {
    input_tokens: 12,
    output_tokens: 8,
    cache_read_input_tokens: 4,
    reasoning_output_tokens: 3,
  },
  attributes: {},
});

describe('a Gemini response', () => {
  test('is put together from its events', () => {
    const { response, error, malformed } = stream(geminiGenerate, head, {}, chunks);
    assert.equal(error, undefined);
    assert.equal(malformed, undefined);
    assert.deepEqual(response, expected([5n, 6n]));
  });

  test('reads the same as an array of chunks, and inside the wrapper of Cloud Code', () => {
    const array = whole(geminiGenerate, head, {}, JSON.stringify(chunks, null, 2));
    assert.equal(array.complete, true);
    assert.deepEqual(array.response, expected([9n, 9n]));
    const wrapped = chunks.map((response) => ({ response, traceId: 't1' }));
    assert.deepEqual(stream(geminiGenerate, head, {}, wrapped).response, expected([5n, 6n]));
  });

  test('reads the same whole', () => {
    const parts = [{ text: 'hello' }];
    const body = { candidates: [{ content: { parts }, finishReason: 'MAX_TOKENS' }], responseId: 'r2' };
    const { complete, response } = whole(geminiGenerate, head, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response, {
      id: 'r2',
      finish_reasons: ['max_tokens'],
      messages: [{ role: 'assistant', finish_reason: 'length', parts: [{ type: 'text', content: 'hello' }] }],
      tool_calls: [],
      usage: {},
      attributes: {},
    });
  });

  test('of several candidates keeps them apart', () => {
    const candidate = (index: number, text: string) => ({ content: { parts: [{ text }] }, index });
    const { response } = stream(geminiGenerate, head, {}, [
      { candidates: [candidate(1, 'b'), candidate(0, 'a')] },
      { candidates: [{ ...candidate(1, 'B'), finishReason: 'SAFETY' }] },
      { candidates: [{ ...candidate(0, 'A'), finishReason: 'STOP' }] },
    ]);
    assert.deepEqual(response.finish_reasons, ['stop', 'safety']);
    assert.deepEqual(response.messages, [
      { role: 'assistant', parts: [{ type: 'text', content: 'aA' }], finish_reason: 'stop' },
      { role: 'assistant', parts: [{ type: 'text', content: 'bB' }], finish_reason: 'content_filter' },
    ]);
  });

  test('puts arguments together that are streamed one by one', () => {
    const call = (functionCall: object) => chunk({ functionCall });
    const arg = (jsonPath: string, value: object) =>
      call({ partialArgs: [{ jsonPath, ...value }], willContinue: true });
    const pieces = [
      call({ id: 'f1', name: 'shell', willContinue: true }),
      arg('$.command', { stringValue: 'ls ', willContinue: true }),
      arg('$.command', { stringValue: '-l' }),
      arg("$['env'].names[0]", { stringValue: 'A' }),
      arg('$.env.names[1]', { stringValue: 'B' }),
      arg('$.env.count', { numberValue: 2 }),
      arg('$.env.names.x', { boolValue: true }),
      arg('$.env.names[9]', { boolValue: true }),
      arg('$.__proto__.x', { boolValue: true }),
      arg('$.dry', { boolValue: false }),
      arg('$.none', { nullValue: 'NULL_VALUE' }),
    ];
    const args = { command: 'ls -l', env: { names: ['A', 'B'], count: 2 }, dry: false, none: null };
    const part = { type: 'tool_call', id: 'f1', name: 'shell', arguments: args };
    const cut = stream(geminiGenerate, head, {}, pieces).response;
    assert.deepEqual(cut.tool_calls, []);
    assert.deepEqual(cut.messages[0]?.parts, [part]);
    const { response } = stream(geminiGenerate, head, {}, [...pieces, call({}), chunk(shell)]);
    assert.deepEqual(response.messages[0]?.parts[0], part);
    assert.deepEqual(
      response.tool_calls.map(({ name, complete_ns }) => [name, complete_ns]),
      [
        ['shell', 12n],
        ['shell', 13n],
      ],
    );
    assert.deepEqual(response.tool_calls[0]?.arguments, args);
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
  });

  test('to a prompt that was blocked says why', () => {
    const { response, error } = whole(geminiGenerate, head, {}, { promptFeedback: { blockReason: 'SAFETY' } });
    assert.deepEqual(response.finish_reasons, ['safety']);
    assert.deepEqual(response.messages, []);
    assert.equal(error, undefined);
  });

  test('that is an array cut off anywhere holds the chunks that came whole', () => {
    const text = JSON.stringify(chunks, null, 2);
    fc.assert(
      fc.property(fc.nat(text.length - 1), (cut) => {
        const { complete, response } = whole(geminiGenerate, head, {}, text.slice(0, cut));
        assert.equal(complete, false);
        const came = chunks.filter((_, i) => cut >= JSON.stringify(chunks.slice(0, i + 1), null, 2).length - 2);
        const { finish_reasons, tool_calls } = stream(geminiGenerate, head, {}, came).response;
        assert.deepEqual(response.finish_reasons, finish_reasons);
        assert.equal(response.tool_calls.length, tool_calls.length);
      }),
      { numRuns: 100 },
    );
  });

  test('that refuses the request names the error', () => {
    const error = { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' };
    for (const body of [{ error }, [{ error }]]) {
      const result = whole(geminiGenerate, head, {}, body, status(429));
      assert.deepEqual(result.error, { type: 'RESOURCE_EXHAUSTED', message: 'slow down' });
      assert.equal(result.malformed, undefined);
    }
  });

  test('that breaks off with an error says which, and keeps what came', () => {
    const error = { code: 503, message: 'overloaded', status: 'UNAVAILABLE' };
    const result = stream(geminiGenerate, head, {}, [...chunks.slice(0, 4), { error }]);
    assert.deepEqual(result.error, { type: 'UNAVAILABLE', message: 'overloaded' });
    assert.deepEqual(result.response.messages[0]?.parts.at(-1), { type: 'text', content: 'I look.' });
  });

  test("that is a gateway's page is an error of that status", () => {
    const { error, malformed } = whole(geminiGenerate, head, {}, '<html>502</html>', status(502));
    assert.deepEqual(error, { type: '502', message: '' });
    assert.equal(malformed, undefined);
    assert.equal(whole(geminiGenerate, head, {}, '<html>').malformed, 'not JSON');
  });

  test('tells how many of its tokens are sound', () => {
    const usageMetadata = {
      promptTokenCount: 12,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 2 },
        { modality: 'AUDIO', tokenCount: 10 },
      ],
      cachedContentTokenCount: 5,
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 5 }],
      candidatesTokenCount: 3,
      candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 3 }],
    };
    assert.deepEqual(whole(geminiGenerate, head, {}, { candidates: [], usageMetadata }).response.usage, {
      input_tokens: 12,
      output_tokens: 3,
      cache_read_input_tokens: 5,
      input_audio_tokens: 10,
      cache_read_audio_tokens: 5,
    });
  });

  test('of embeddings tells its usage', () => {
    const body = { embedding: { values: [0.1] }, usageMetadata: { promptTokenCount: 3 } };
    const { complete, response } = whole(geminiEmbeddings, head, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response.usage, { input_tokens: 3 });
    assert.deepEqual(response.messages, []);
  });
});
