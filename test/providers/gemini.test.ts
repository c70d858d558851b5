import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { geminiEmbeddings, geminiGenerate } from '../../src/providers/gemini.ts';
import { parse, post, status, stream, whole } from './exchange-fixture.ts';

const HOST = 'generativelanguage.googleapis.com';
const head = post(HOST, '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse');
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a Gemini request', () => {
  const body = {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      {
        role: 'model',
        parts: [
          { text: 'hm', thought: true },
          { text: 'I look.' },
          { functionCall: { id: 'f1', name: 'shell', args: { command: 'ls' } }, thoughtSignature: 's' },
          { functionCall: { name: 'now' } },
          { text: '', thoughtSignature: 's' },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'f1', name: 'shell', response: { output: 'a.txt' } } },
          { functionResponse: { name: 'now', response: { error: 'no clock' } } },
          { functionResponse: { name: 'now', response: { output: 'noon', zone: 'UTC' } } },
          { text: 'and now?' },
          { fileData: { mimeType: 'application/pdf', fileUri: 'https://x/files/1' } },
        ],
      },
    ],
    tools: [
      { functionDeclarations: [{ name: 'shell', description: 'Runs', parametersJsonSchema: { type: 'object' } }] },
      { functionDeclarations: [{ name: 'now', parameters: { type: 'OBJECT' } }], googleSearch: {} },
    ],
    generationConfig: {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxOutputTokens: 100,
      candidateCount: 2,
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      stopSequences: ['END', 7],
      responseMimeType: 'application/json',
    },
  };

  test('is read with its parameters, instructions, contents and tools', () => {
    const { provider, request, malformed } = parse(geminiGenerate, head, body);
    assert.equal(provider, 'gcp.gemini');
    assert.equal(malformed, undefined);
    assert.deepEqual(plain(request), {
      operation: 'generate_content',
      model: 'gemini-2.5-pro',
      stream: true,
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      seed: 7,
      stop_sequences: ['END'],
      choice_count: 2,
      output_type: 'json',
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
            { type: 'text', content: 'I look.' },
            { type: 'tool_call', id: 'f1', name: 'shell', arguments: { command: 'ls' } },
            { type: 'tool_call', id: null, name: 'now', arguments: {} },
          ],
        },
        {
          role: 'tool',
          parts: [
            { type: 'tool_call_response', id: 'f1', response: 'a.txt' },
            { type: 'tool_call_response', id: null, response: { is_error: true, content: 'no clock' } },
            { type: 'tool_call_response', id: null, response: { output: 'noon', zone: 'UTC' } },
          ],
        },
        {
          role: 'user',
          parts: [
            { type: 'text', content: 'and now?' },
            { type: 'uri', modality: 'document', mime_type: 'application/pdf', uri: 'https://x/files/1' },
          ],
        },
      ],
      tools: [
        { type: 'function', name: 'shell', description: 'Runs', parameters: { type: 'object' } },
        { type: 'function', name: 'now', parameters: { type: 'OBJECT' } },
        { type: 'googleSearch', name: 'googleSearch' },
      ],
      attributes: {},
    });
  });

  test('may be written in snake case, with one thing where there is a list', () => {
    const { request } = parse(geminiGenerate, post(HOST, '/v1/models/m:generateContent'), {
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: { inline_data: { mime_type: 'audio/wav', data: 'AAAA' } } },
      generation_config: { max_output_tokens: 9, response_modalities: ['AUDIO'] },
      tools: { function_declarations: [{ name: 'f' }] },
    });
    assert.equal(request.stream, false);
    assert.equal(request.max_tokens, 9);
    assert.equal(request.output_type, 'speech');
    assert.deepEqual(request.system_instructions, [{ type: 'text', content: 'Be brief.' }]);
    assert.deepEqual(request.messages[0]?.parts[0], {
      type: 'blob',
      modality: 'audio',
      mime_type: 'audio/wav',
      content: 'AAAA',
    });
    assert.deepEqual(request.tools, [{ type: 'function', name: 'f' }]);
  });

  test('is named after where it goes, also through a proxy', () => {
    const model = '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent';
    for (const [host, target, name] of [
      ['us-central1-aiplatform.googleapis.com', model, 'gcp.vertex_ai'],
      ['aiplatform.googleapis.com', '/v1/publishers/google/models/m:generateContent', 'gcp.vertex_ai'],
      ['localhost:8443', model, 'gcp.vertex_ai'],
      ['localhost:8443', '/v1beta/models/m:generateContent', 'gcp.gemini'],
      ['cloudcode-pa.googleapis.com', '/v1internal:generateContent', 'gcp.gen_ai'],
    ] as const) {
      assert.equal(parse(geminiGenerate, post(host, target), {}).provider, name, host + target);
    }
    assert.equal(parse(geminiGenerate, post('h', model), {}).request.model, 'gemini-2.5-pro');
  });

  test('of Cloud Code is unwrapped, and belongs to its session', () => {
    const { request } = parse(geminiGenerate, post('h', '/v1internal:streamGenerateContent?alt=sse'), {
      model: 'gemini-2.5-pro',
      project: 'p',
      user_prompt_id: 'u',
      request: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], session_id: 's-1' },
    });
    assert.equal(request.model, 'gemini-2.5-pro');
    assert.equal(request.stream, true);
    assert.equal(request.conversation_id, 's-1');
    assert.equal(request.conversation_is_session, true);
    assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
  });

  test('that is cut off is malformed, and still a request to the model of its path', () => {
    const { request, malformed } = geminiGenerate.parseRequest(head, Buffer.from('{"contents": [{'));
    assert.equal(malformed, 'the request body is not a JSON object');
    assert.equal(request.model, 'gemini-2.5-pro');
    assert.deepEqual(request.messages, []);
  });

  test('for embeddings is read, one or many', () => {
    const content = (text: string) => ({ parts: [{ text }] });
    const one = parse(geminiEmbeddings, post(HOST, '/v1beta/models/e:embedContent'), {
      content: content('a'),
      outputDimensionality: 64,
    });
    assert.deepEqual(one.request, {
      operation: 'embeddings',
      model: 'e',
      stream: false,
      system_instructions: [],
      messages: [{ role: 'user', parts: [{ type: 'text', content: 'a' }] }],
      tools: [],
      attributes: { 'gen_ai.embeddings.dimension.count': 64 },
    });
    const many = parse(geminiEmbeddings, post(HOST, '/v1beta/models/e:batchEmbedContents'), {
      requests: [{ content: content('a'), outputDimensionality: 32 }, { content: content('b') }, 7],
    });
    assert.deepEqual(many.request.attributes, { 'gen_ai.embeddings.dimension.count': 32 });
    assert.deepEqual(
      many.request.messages.map((message) => message.parts[0]),
      [
        { type: 'text', content: 'a' },
        { type: 'text', content: 'b' },
      ],
    );
  });
});

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

  test('of embeddings tells its usage', () => {
    const body = { embedding: { values: [0.1] }, usageMetadata: { promptTokenCount: 3 } };
    const { complete, response } = whole(geminiEmbeddings, head, {}, body);
    assert.equal(complete, true);
    assert.deepEqual(response.usage, { input_tokens: 3 });
    assert.deepEqual(response.messages, []);
  });
});
