import type { ProviderSample } from './provider-samples.ts';

const tool = { toolSpec: { name: 'shell', description: 'Runs', inputSchema: { json: { type: 'object' } } } };
const toolUse = { toolUseId: 't', name: 'shell', input: { command: 'ls' } };
const usage = {
  inputTokens: 9,
  outputTokens: 2,
  cacheReadInputTokens: 1,
  cacheDetails: [{ ttl: '1h', inputTokens: 1 }],
};

const converse: ProviderSample = {
  target: '/model/us.amazon.nova-pro-v1%3A0/converse-stream',
  request: {
    system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
    inferenceConfig: { maxTokens: 9, temperature: 0.5, stopSequences: ['a'] },
    toolConfig: { tools: [tool] },
    messages: [
      { role: 'user', content: [{ text: 'hi' }, { image: { format: 'png', source: { bytes: 'AAAA' } } }] },
      { role: 'assistant', content: [{ reasoningContent: { reasoningText: { text: 'hm' } } }, { toolUse }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 't', content: [{ text: 'x' }, { json: {} }] } }] },
    ],
  },
  body: { output: { message: { content: [{ text: 'hi' }, { toolUse }] } }, stopReason: 'tool_use', usage },
  events: [
    { messageStart: { role: 'assistant' } },
    { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { text: 'hm' } } } },
    { contentBlockDelta: { contentBlockIndex: 1, delta: { text: 'hi' } } },
    { contentBlockStart: { contentBlockIndex: 2, start: { toolUse: { toolUseId: 't', name: 'shell' } } } },
    { contentBlockDelta: { contentBlockIndex: 2, delta: { toolUse: { input: '{"command":' } } } },
    { contentBlockStop: { contentBlockIndex: 2 } },
    { messageStop: { stopReason: 'tool_use' } },
    { metadata: { usage, serviceTier: { type: 'default' } } },
  ],
};

const packed = (value: unknown) => ({ bytes: Buffer.from(JSON.stringify(value)).toString('base64') });

const invoke: ProviderSample = {
  target: '/model/anthropic.claude-v1/invoke-with-response-stream',
  request: { anthropic_version: 'x', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
  body: { type: 'message', content: [{ type: 'text', text: 'hi' }], usage: { input_tokens: 1, output_tokens: 2 } },
  events: [
    { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
    { type: 'message_stop' },
  ].map(packed),
};

const call = { id: 'c', type: 'function', function: { name: 'shell', arguments: '{"a":1}' } };
const tokens = { tokens: { input_tokens: 4, output_tokens: 2 }, cached_tokens: 1 };

const cohere: ProviderSample = {
  host: 'api.cohere.com',
  target: '/v2/chat',
  request: {
    model: 'command',
    p: 0.5,
    k: 3,
    stop_sequences: ['a'],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', tool_plan: 'hm', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: [{ type: 'document', document: { data: 'x' } }] },
    ],
  },
  body: {
    id: 'r',
    finish_reason: 'TOOL_CALL',
    message: { role: 'assistant', tool_plan: 'hm', content: [{ type: 'text', text: 'hi' }], tool_calls: [call] },
    usage: tokens,
  },
  events: [
    { type: 'message-start', id: 'r', delta: { message: { role: 'assistant', content: [] } } },
    { type: 'tool-plan-delta', delta: { message: { tool_plan: 'hm' } } },
    { type: 'content-delta', index: 0, delta: { message: { content: { text: 'hi' } } } },
    { type: 'tool-call-start', index: 0, delta: { message: { tool_calls: call } } },
    { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '}' } } } } },
    { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage: tokens } },
  ],
};

export const AWS_AND_COHERE_SAMPLES: readonly ProviderSample[] = [converse, invoke, cohere];
