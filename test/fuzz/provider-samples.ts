import { anthropicMessages } from '../mock-llm/anthropic-messages.ts';
import { openaiChat } from '../mock-llm/openai-chat.ts';
import { openaiEmbeddings } from '../mock-llm/openai-embeddings.ts';
import { openaiResponses } from '../mock-llm/openai-responses.ts';
import type { Api, Turn } from '../mock-llm/scenario.ts';
import { AWS_AND_COHERE_SAMPLES } from './aws-cohere-samples.ts';

/** A request, an answer in one piece, and the same as the events of a stream. */
export interface ProviderSample {
  /** 'h' when it does not matter. */
  readonly host?: string;
  readonly target: string;
  readonly request: unknown;
  readonly body: unknown;
  readonly events: readonly unknown[];
}

const turn: Turn = {
  reasoning: 'Let me see.',
  text: 'Zwölf Boxkämpfer 🥊',
  calls: [{ name: 'shell', arguments: { command: 'ls -l', deep: [{ a: null }] } }],
  usage: { input_tokens: 30, output_tokens: 7, cache_read_tokens: 10, cache_creation_tokens: 2, reasoning_tokens: 3 },
};
const parameters = { type: 'object', properties: { command: { type: 'string' } } };
const asked = {
  model: 'm',
  stream: true,
  temperature: 0.5,
  max_tokens: 9,
  stop: ['a'],
  metadata: { user_id: 'u_session_s' },
};
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };

function sampleOf(target: string, api: Api, request: Record<string, unknown>): ProviderSample {
  const { body, events } = api.answer(api.read(request, target), turn, 1);
  const parsed = events.map(({ data }) => (data === '[DONE]' ? data : JSON.parse(data)));
  return { target, request, body, events: parsed.length > 0 ? parsed : [body] };
}

const gemini = {
  candidates: [
    {
      index: 0,
      finishReason: 'STOP',
      content: {
        role: 'model',
        parts: [
          { text: 'hm', thought: true },
          { text: 'hello' },
          { functionCall: { id: 'c', name: 'shell', args: { command: 'ls' }, willContinue: true } },
          { functionCall: { partialArgs: [{ jsonPath: '$.a[0].b', stringValue: 'x' }] } },
          { executableCode: { language: 'PYTHON', code: '1' } },
          { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
        ],
      },
    },
  ],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, thoughtsTokenCount: 1, cachedContentTokenCount: 1 },
  modelVersion: 'gemini',
  responseId: 'r',
};
const ollama = {
  model: 'q',
  message: {
    role: 'assistant',
    content: 'hi',
    thinking: 'hm',
    tool_calls: [{ function: { name: 'a', arguments: {} } }],
  },
  response: 'hi',
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 3,
  eval_count: 2,
  embeddings: [[0.1]],
};

/** One of each API, with most of what it can carry. */
export const SAMPLES: readonly ProviderSample[] = [
  sampleOf('/v1/messages', anthropicMessages, {
    ...asked,
    system: [{ type: 'text', text: 'Be brief.' }],
    thinking: { type: 'enabled', budget_tokens: 9 },
    tools: [{ name: 'shell', input_schema: parameters }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'image', source: { type: 'base64', data: 'A' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'shell', input: { command: 'ls' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'x' }] }] },
    ],
  }),
  sampleOf('/v1/chat/completions', openaiChat, {
    ...asked,
    stream_options: { include_usage: true },
    response_format: { type: 'json_schema' },
    tools: [{ type: 'function', function: { name: 'shell', parameters } }],
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'hi' }, image] },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'shell', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'x' },
    ],
  }),
  sampleOf('/v1/responses', openaiResponses, {
    ...asked,
    previous_response_id: 'resp_0_1',
    instructions: 'Be brief.',
    reasoning: { effort: 'low' },
    tools: [
      { type: 'function', name: 'shell', parameters },
      { type: 'namespace', name: 'n', tools: [{ name: 'a' }] },
    ],
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { type: 'function_call', call_id: 'c', name: 'shell', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
    ],
  }),
  sampleOf('/v1/embeddings', openaiEmbeddings, { model: 'm', input: ['a', 'b'] }),
  {
    target: '/v1beta/models/gemini:streamGenerateContent',
    request: {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      tools: [{ functionDeclarations: [{ name: 'shell', parameters }] }, { googleSearch: {} }],
      generationConfig: { temperature: 0.5, stopSequences: ['a'], responseModalities: ['TEXT'] },
      contents: [
        { role: 'user', parts: [{ text: 'hi' }, { fileData: { mimeType: 'a/b', fileUri: 'u' } }] },
        { role: 'user', parts: [{ functionResponse: { id: 'c', name: 'shell', response: { output: 'x' } } }] },
      ],
    },
    body: [gemini, gemini],
    events: [gemini, gemini, { error: { code: 500, message: 'x', status: 'INTERNAL' } }],
  },
  {
    target: '/api/chat',
    request: {
      model: 'q',
      messages: [{ role: 'user', content: 'hi', images: ['A'] }],
      tools: [{ type: 'function', function: { name: 'a', parameters } }],
      options: { temperature: 1, stop: ['x'] },
    },
    body: ollama,
    events: [ollama, ollama],
  },
  ...AWS_AND_COHERE_SAMPLES,
];

const message = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] };
const live = { turns: [{ role: 'user', parts: [{ text: 'hi' }] }], turnComplete: true };

/** What the two sides of a WebSocket say, each in the order of its API. */
export const WEBSOCKET_SAMPLES: readonly {
  readonly sent: readonly unknown[];
  readonly received: readonly unknown[];
}[] = [
  {
    sent: [
      { ...(SAMPLES[2]?.request as object), type: 'response.create' },
      { type: 'response.create', generate: false },
    ],
    received: SAMPLES[2]?.events ?? [],
  },
  {
    sent: [
      { type: 'session.update', session: { instructions: 'Be brief.', tools: [{ type: 'function', name: 'a' }] } },
      { type: 'conversation.item.create', item: message },
      { type: 'response.create', response: { instructions: 'x', input: [message] } },
    ],
    received: [
      { type: 'session.created', session: { model: 'm', instructions: 'x' } },
      { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
      { type: 'response.output_audio_transcript.delta', response_id: 'r', output_index: 0, delta: 'a' },
      {
        type: 'response.done',
        response: { id: 'r', status: 'failed', status_details: { error: { code: 'x' } }, output: [message] },
      },
      { type: 'error', error: { type: 'x', message: 'y' } },
    ],
  },
  {
    sent: [
      { setup: { model: 'models/x' } },
      { clientContent: live },
      { toolResponse: { functionResponses: [{ id: 'c' }] } },
    ],
    received: [
      { serverContent: { modelTurn: { parts: [{ text: 'a' }] }, outputTranscription: { text: 'b' } } },
      { toolCall: { functionCalls: [{ id: 'c', name: 'a', args: {} }] } },
      { serverContent: { turnComplete: true }, usageMetadata: { promptTokenCount: 1, responseTokenCount: 2 } },
    ],
  },
];
