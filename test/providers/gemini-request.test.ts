import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { geminiEmbeddings, geminiGenerate } from '../../src/providers/gemini.ts';
import { parse, post } from './exchange-fixture.ts';

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
