import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { providerName } from '../../src/providers/provider-name.ts';
import { providers } from '../../src/providers/providers.ts';
import { ok, post, status, whole } from './exchange-fixture.ts';

describe('which API a request speaks', () => {
  for (const [target, name] of [
    ['/v1/chat/completions', 'openai_chat'],
    ['https://proxy.example/v1/chat/completions', 'openai_chat'],
    ['/openai/deployments/gpt-4o/chat/completions?api-version=2024', 'openai_chat'],
    ['/v1/completions/', 'openai_completions'],
    ['/v1/responses', 'openai_responses'],
    ['/v1/embeddings', 'openai_embeddings'],
    ['/v1/messages', 'anthropic_messages'],
    ['/v1/messages/count_tokens', undefined],
    ['/v1/messages/batches', undefined],
    ['/v1/threads/t/messages', undefined],
    ['/v1/models', undefined],
    ['/v1beta/models/gemini-2.5-pro:generateContent', 'gemini'],
    ['/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', 'gemini'],
    ['/v1beta1/projects/p/locations/l/endpoints/12:streamGenerateContent', 'gemini'],
    ['/v1internal:streamGenerateContent?alt=sse', 'gemini'],
    ['/v1beta/models/gemini-2.5-pro:countTokens', undefined],
    ['/v1internal:loadCodeAssist', undefined],
    ['/v1beta/models/text-embedding-004:embedContent', 'gemini_embeddings'],
    ['/v1beta/models/text-embedding-004:batchEmbedContents', 'gemini_embeddings'],
    ['/api/chat', 'ollama_chat'],
    ['/api/generate', 'ollama_generate'],
    ['/api/embed', 'ollama_embeddings'],
    ['/api/pull', undefined],
    ['/v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict', 'anthropic_vertex'],
    ['/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke', 'bedrock_invoke'],
    ['/bedrock/model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream', 'bedrock_invoke'],
    ['/model/us.amazon.nova-pro-v1%3A0/converse-stream', 'bedrock_converse'],
    ['/model/us.amazon.nova-pro-v1%3A0/count-tokens', undefined],
    ['/', undefined],
  ] as const) {
    test(`POST ${target}: ${name ?? 'none'}`, () => {
      const found = providers.filter((provider) => provider.matches(post('h', target)));
      assert.deepEqual(
        found.map((provider) => provider.name),
        name === undefined ? [] : [name],
      );
    });
  }
});

test('the provider is named after the host', () => {
  for (const [host, name] of [
    ['api.openai.com', 'openai'],
    ['api.openai.com:443', 'openai'],
    ['chatgpt.com', 'openai'],
    ['x.openai.azure.com', 'azure.ai.openai'],
    ['x.services.ai.azure.com', 'azure.ai.inference'],
    ['api.groq.com', 'groq'],
    ['api.deepseek.com', 'deepseek'],
    ['api.mistral.ai', 'mistral_ai'],
    ['api.x.ai', 'x_ai'],
    ['api.perplexity.ai', 'perplexity'],
    ['openrouter.ai', 'openrouter'],
    ['generativelanguage.googleapis.com', 'gcp.gemini'],
    ['us-central1-aiplatform.googleapis.com', 'gcp.vertex_ai'],
    ['aiplatform.us.rep.googleapis.com', 'gcp.vertex_ai'],
    ['cloudcode-pa.googleapis.com', 'gcp.gen_ai'],
    ['daily-cloudcode-pa.sandbox.googleapis.com', 'gcp.gen_ai'],
    ['bedrock-runtime.us-east-1.amazonaws.com', 'aws.bedrock'],
    ['localhost:11434', 'ollama'],
    ['localhost:8443', 'openai'],
    ['notopenai.com.example.org', 'openai'],
    ['notgroq.com', 'openai'],
  ] as const) {
    assert.equal(providerName(post(host, '/v1/chat/completions'), 'openai'), name, host);
  }
  assert.equal(providerName(post('localhost:8443', '/v1/messages'), 'anthropic'), 'anthropic');
});

/** JSON made of the names and values these APIs use, in places where they do not belong. */
const words = fc.constantFrom(
  ...'model messages content role user assistant tool type text id index name input output tools delta choices'.split(
    ' ',
  ),
  ...'tool_calls function arguments tool_use tool_result message usage error code item output_index response'.split(
    ' ',
  ),
  ...'message_start content_block_start content_block_delta content_block_stop message_delta content_block'.split(' '),
  ...'contents parts systemInstruction functionDeclarations functionCall functionResponse args candidates thought'.split(
    ' ',
  ),
  ...'partialArgs jsonPath stringValue willContinue $.a.b $.a[0] $.__proto__.a'.split(' '),
  ...'inlineData fileData data mimeType generationConfig usageMetadata promptTokenCount thoughtsTokenCount'.split(' '),
  ...'request requests finishReason promptFeedback executableCode images prompt thinking done eval_count model'.split(
    ' ',
  ),
  ...'output toolUse toolResult toolConfig inputSchema contentBlockStart contentBlockDelta metadata stopReason bytes'.split(
    ' ',
  ),
  ...'generation outputs results outputText inputText reasoningContent reasoningText cacheDetails chunk'.split(' '),
  ...'response.completed response.output_item.done response.output_text.delta function_call reasoning summary'.split(
    ' ',
  ),
);
const json = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    words,
    fc.constantFrom(null, true, -1, 1e308, 1e15, 0.5, '', '{', '__proto__', 'constructor'),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(words, fc.constant('__proto__')), tie('node'), { maxKeys: 6 }),
  ),
})).node;

test('no JSON makes a provider throw, and no count or number it gives is broken', () => {
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 5 }), fc.constantFrom(200, 500), (values, code) => {
      for (const provider of providers) {
        const head = post('h', '/v1/x');
        const { request } = provider.parseRequest(head, Buffer.from(JSON.stringify(values[0])));
        const reader = provider.createResponseReader(request, code === 200 ? ok : status(code));
        for (const value of values) reader.pushEvent({ event: undefined, data: JSON.stringify(value) }, 1n);
        reader.pushBody(Buffer.from(JSON.stringify(values.at(-1))), 2n);
        reader.pushBody(Buffer.from(values.map((value) => JSON.stringify(value)).join('\n')), 3n);
        const { response } = reader.result();
        for (const count of Object.values(response.usage)) assert.ok(Number.isSafeInteger(count) && count >= 0);
        assert.ok(!JSON.stringify([request, response.messages]).includes('Infinity'));
      }
    }),
    { numRuns: 800 },
  );
});

test('JSON nested too deeply is cut, not followed', () => {
  const deep = `${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`;
  const bodies = [
    `{"messages":${deep}}`,
    `{"messages":[{"role":"tool","content":${deep}}],"input":[{"type":"function_call_output","output":${deep}}]}`,
    `{"contents":[{"parts":[{"functionCall":{"args":${deep}}},{"functionResponse":{"response":{"output":${deep}}}}]}],"tools":[{"functionDeclarations":[{"name":"x","parameters":${deep}}]}]}`,
    `{"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":{"a":${deep}}}}]}]}`,
    `{"messages":[{"role":"user","content":[{"type":"tool_result","content":${deep}}]}],"tools":[{"name":"x","input_schema":{"a":${deep}}}]}`,
  ];
  for (const provider of providers) {
    for (const body of bodies) {
      const { request } = provider.parseRequest(post('h', '/'), Buffer.from(body));
      assert.ok(JSON.stringify(request).length < 5000);
    }
  }
});

test('a byte order mark before the JSON of a request or a response is no fault', () => {
  const head = post('h', '/v1/chat/completions');
  const openAi = providers.find(({ name }) => name === 'openai_chat');
  assert.ok(openAi);
  const mark = Buffer.from([0xef, 0xbb, 0xbf]);
  const parsed = openAi.parseRequest(head, Buffer.concat([mark, Buffer.from('{"model":"m"}')]));
  assert.deepEqual([parsed.request.model, parsed.malformed], ['m', undefined]);
  const answered = whole(openAi, head, { model: 'm' }, '\uFEFF{"id":"x","choices":[{"message":{"content":"hi"}}]}');
  assert.deepEqual([answered.response.id, answered.malformed], ['x', undefined]);
});
