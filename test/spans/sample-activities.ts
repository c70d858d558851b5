import { createCounters } from '../../src/health/counters.ts';
import type {
  Activity,
  ActivityBase,
  AgentActivity,
  AgentInstance,
  ChatActivity,
  Correlation,
  FileActivity,
  McpActivity,
  NetworkActivity,
  ProcessActivity,
  ToolActivity,
} from '../../src/model/activity.ts';
import type { SessionEvent } from '../../src/model/event.ts';
import type { LlmCall } from '../../src/model/llm-call.ts';
import type { Span } from '../../src/model/span.ts';
import { spansOptionsSchema } from '../../src/spans/options.ts';
import { createSpans } from '../../src/spans/spans.ts';
import { mcpCall } from './sample-mcp-call.ts';

export const UNIX_OFFSET_NS = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;

const session: SessionEvent = {
  kind: 'session',
  ktime_ns: 0n,
  process: '1:0',
  pid: 1,
  tid: 1,
  unix_offset_ns: UNIX_OFFSET_NS,
  boot_id: '6f1d7f0e-8f0b-4b57-9d3a-51a6c1c0f7aa',
  host_name: 'workstation',
  host_id: 'f0e1d2c3',
  host_arch: 'x64',
  os_release: '6.8.0',
  undersight_version: '0.1.0',
};

export const agent: AgentInstance = {
  name: 'demo-agent',
  version: '1.2.3',
  process: '100:5',
  pid: 100,
  parent_pid: 1,
  executable_path: '/usr/bin/node',
  args: ['node', 'agent.mjs'],
  working_directory: '/work',
  uid: 1000,
  user_name: 'ada',
  container_id: undefined,
  environment: {},
};

const correlation: Correlation = {
  signals: ['lineage', 'argument'],
  score: 0.9,
  matched: 'orders.json',
  requested: true,
};

function base(id: string, parent_id: string | undefined, start_ms: number, end_ms: number): ActivityBase {
  return {
    id,
    parent_id,
    turn_id: 'turn-1',
    agent,
    start_ns: BigInt(start_ms) * MS,
    end_ns: BigInt(end_ms) * MS,
    open: false,
    continues: undefined,
    traceparent: undefined,
    tracestate: undefined,
    conversation_id: undefined,
    lost_events: 0,
  };
}

export const call: LlmCall = {
  kind: 'llm_call',
  phase: 'end',
  call_id: 'call-1',
  process: agent.process,
  pid: 100,
  tid: 100,
  socket_id: 1n,
  provider: 'openai',
  server_address: 'api.openai.com',
  server_port: 443,
  traceparent: undefined,
  tracestate: undefined,
  user_agent: 'OpenAI/JS',
  request: {
    operation: 'chat',
    model: 'gpt-5-mini',
    stream: true,
    max_tokens: 1000,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    seed: 7,
    stop_sequences: ['END'],
    choice_count: 1,
    output_type: 'text',
    system_instructions: [{ type: 'text', content: 'Be brief.' }],
    messages: [
      { role: 'user', parts: [{ type: 'text', content: 'Before' }] },
      { role: 'assistant', parts: [{ type: 'text', content: 'Then' }] },
      { role: 'user', parts: [{ type: 'text', content: 'Check the orders' }] },
    ],
    tools: [{ type: 'function', name: 'shell', description: 'Runs a command', parameters: { type: 'object' } }],
    attributes: { 'openai.api.type': 'chat_completions' },
  },
  request_start_ns: 10n * MS,
  request_end_ns: 12n * MS,
  request_bytes: 512,
  response: {
    id: 'resp-1',
    model: 'gpt-5-mini-2025',
    finish_reasons: ['tool_calls'],
    messages: [
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'Hm' },
          { type: 'tool_call', id: 'c1', name: 'shell', arguments: { command: 'cat orders.json' } },
        ],
      },
    ],
    tool_calls: [],
    usage: {
      input_tokens: 5120,
      output_tokens: 64,
      cache_read_input_tokens: 4096,
      cache_creation_input_tokens: 512,
      reasoning_output_tokens: 16,
    },
    attributes: { 'openai.response.service_tier': 'default' },
  },
  response_first_chunk_ns: 240n * MS,
  end_ns: 800n * MS,
  response_bytes: 1024,
  http_status: 200,
  error: undefined,
  gaps: [],
};

export const root: AgentActivity = {
  ...base('turn', undefined, 10, 2500),
  kind: 'invoke_agent',
  provider: 'openai',
  usage: { input_tokens: 11_000, output_tokens: 164, cache_read_input_tokens: 9216 },
  llm_call_count: 2,
  tool_call_count: 1,
  error_type: undefined,
  input: call,
  output: call,
  left_out_count: 0,
  noise_file_count: 0,
};

export const chat: ChatActivity = {
  ...base('chat-1', 'turn', 10, 800),
  kind: 'chat',
  call,
  linked_traceparent: undefined,
  left_out_count: 0,
};

export const tool: ToolActivity = {
  ...base('tool-1', 'chat-1', 800, 1300),
  kind: 'execute_tool',
  tool: { id: 'c1', name: 'shell', arguments: { command: 'cat orders.json' }, complete_ns: 800n * MS },
  tool_type: 'function',
  description: 'Runs a command',
  result: 'orders\n',
  executable: { name: 'cat', path: '/usr/bin/cat', exit_code: 0 },
  error_type: undefined,
  left_out_count: 0,
  mcp: undefined,
};

export const mcp: McpActivity = {
  ...base('mcp-1', 'turn', 900, 950),
  kind: 'mcp',
  call: mcpCall,
  is_part: false,
  correlation,
};

export const process: ProcessActivity = {
  ...base('process-1', 'tool-1', 820, 1220),
  kind: 'process',
  process: '101:820000000',
  pid: 101,
  parent_pid: 100,
  namespace_pid: 101,
  executable_path: '/usr/bin/cat',
  args: ['cat', 'orders.json'],
  working_directory: '/work',
  uid: 1000,
  user_name: 'ada',
  cgroup_id: 1n,
  exit_code: 0,
  signal: undefined,
  correlation,
  noise_file_count: 3,
  left_out_count: 0,
  blind_spots: [],
};

export const file: FileActivity = {
  ...base('file-1', 'process-1', 900, 901),
  kind: 'file',
  process: process.process,
  pid: 101,
  operation: 'read',
  class: 'workspace',
  path: '/work/orders.json',
  new_path: undefined,
  bytes_read: 640n,
  bytes_written: 0n,
  count: 1,
  error_type: undefined,
  correlation,
};

export const network: NetworkActivity = {
  ...base('network-1', 'process-1', 950, 1200),
  kind: 'network',
  process: process.process,
  pid: 101,
  operation: 'connect',
  scope: 'external',
  transport: 'tcp',
  local: { family: 'ipv4', address: '10.0.0.2', port: 51_000 },
  peer: { family: 'ipv4', address: '93.184.215.14', port: 443 },
  server_name: 'example.com',
  bytes_sent: 517n,
  bytes_received: 12_345n,
  retransmits: 1,
  rtt_us: 12_300,
  count: 1,
  error_type: undefined,
  unread_protocol: undefined,
  correlation,
};

/** A second call, and what nobody asked for. */
const unasked: ProcessActivity = {
  ...process,
  ...base('process-2', 'chat-1', 1350, 1354),
  pid: 102,
  executable_path: '/usr/bin/id',
  args: ['id', '-un'],
  noise_file_count: 0,
  correlation: { signals: ['lineage', 'window'], score: 0.3, matched: undefined, requested: false },
};

export const secondChat: ChatActivity = { ...chat, ...base('chat-2', 'turn', 1400, 2500) };

/** Children before their parents. */
export const turn: readonly Activity[] = [chat, file, network, process, tool, unasked, secondChat, root];

/** The spans of some activities, and what was counted. */
export function spansOf(activities: readonly Activity[], options: object = {}) {
  const spans: Span[] = [];
  const counters = createCounters();
  const stage = createSpans(
    { ...spansOptionsSchema.parse(options), counters },
    { push: (span) => void spans.push(span) },
  );
  stage.push(session);
  for (const activity of activities) stage.push(activity);
  return { spans, counts: Object.fromEntries(counters.entries()) };
}

/** The one span of one activity. */
export function spanOf(activity: Activity, options: object = {}): Span {
  const [span] = spansOf([activity], options).spans;
  if (span === undefined) throw new Error('no span');
  return span;
}
