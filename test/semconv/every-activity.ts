import type { Activity } from '../../src/model/activity.ts';
import type { LlmCall, MessagePart } from '../../src/model/llm-call.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import * as sample from '../spans/sample-activities.ts';
import { mcpCall as sampleMcpCall } from '../spans/sample-mcp-call.ts';

const parts: readonly MessagePart[] = [
  { type: 'text', content: 'Look at these' },
  { type: 'reasoning', content: 'Hm' },
  { type: 'tool_call', id: null, name: 'shell', arguments: { command: 'id' } },
  { type: 'tool_call_response', id: 'c1', response: ['any', 1] },
  { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
  { type: 'uri', modality: 'image', mime_type: null, uri: 'https://example.com/a.png' },
  { type: 'file', modality: 'video', mime_type: null, file_id: 'f1' },
];

const call: LlmCall = {
  ...sample.call,
  request: {
    ...sample.call.request,
    choice_count: 2,
    frequency_penalty: 0.1,
    presence_penalty: 0.1,
    system_instructions: parts,
    messages: [{ role: 'user', parts, name: 'ada' }],
    attributes: { ...sample.call.request.attributes, 'openai.request.service_tier': 'default' },
  },
  response: {
    ...sample.call.response,
    id: 'resp-1',
    finish_reasons: [],
    messages: [{ role: 'assistant', parts }],
    tool_calls: [],
    usage: sample.call.response?.usage ?? {},
    attributes: {},
  },
  error: { type: 'overloaded', message: 'later' },
  gaps: [{ reason: 'cut', bytes: 7, detail: '' }],
};

const mcpCall: McpCall = {
  ...sampleMcpCall,
  error: { type: '-32603', code: -32_603, message: 'later' },
  notification_count: 2,
  gaps: [{ reason: 'lost_bytes', bytes: 7, detail: '' }],
};

const common = { conversation_id: 'conv-1', open: true, lost_events: 1 };

/** Every kind of activity with everything that one can say. */
export const everyActivity: readonly Activity[] = [
  {
    ...sample.root,
    ...common,
    usage: call.response?.usage ?? {},
    input: call,
    output: call,
    error_type: 'x',
    left_out_count: 1,
  },
  { ...sample.chat, ...common, call, left_out_count: 1 },
  { ...sample.tool, ...common, error_type: 'x', left_out_count: 1 },
  { ...sample.tool, ...common, error_type: '-32603', result: undefined, mcp: { ...mcpCall, method: 'tools/call' } },
  { ...sample.mcp, ...common, call: mcpCall },
  { ...sample.mcp, ...common, call: { ...mcpCall, method: 'tools/call', tool_name: 'echo', transport: 'pipe' } },
  { ...sample.mcp, ...common, call: { ...mcpCall, method: 'prompts/get', prompt_name: 'greet', sender: 'server' } },
  {
    ...sample.process,
    ...common,
    args: ['sh', '-c', 'cat a | wc'],
    namespace_pid: 7,
    exit_code: 1,
    blind_spots: ['io_uring'],
    left_out_count: 1,
  },
  { ...sample.file, ...common, new_path: '/work/b.json', bytes_written: 1n, error_type: 'EACCES' },
  { ...sample.network, ...common, error_type: 'ECONNRESET', unread_protocol: 'http2' },
  { ...sample.network, ...common, operation: 'resolve' },
];
