import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Counters, createCounters } from '../../src/health/counters.ts';
import type { Event } from '../../src/model/event.ts';
import type { LlmCall } from '../../src/model/llm-call.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import { redactOptionsSchema } from '../../src/redact/redact-options.ts';
import { createRedact } from '../../src/redact/redact-stage.ts';

const SECRET = 'sk-ant-api03-abcdefghijklmnop';
const base = { ktime_ns: 5n, process: '7:1', pid: 7, tid: 7 } as const;
const socket = { family: 'unix', address: `@/tmp/${SECRET}`, port: 0 } as const;

const events: readonly Event[] = [
  { ...base, kind: 'process_fork', parent: '1:1', parent_pid: 1, parent_tid: 1, comm: SECRET },
  {
    ...base,
    kind: 'process_exec',
    origin: 'exec',
    watched: true,
    parent: undefined,
    parent_pid: 1,
    namespace_pid: 7,
    uid: 0,
    gid: 0,
    cgroup_id: 1n,
    comm: SECRET,
    executable_path: `/opt/${SECRET}/run`,
    working_directory: `/home/${SECRET}`,
    args: ['run', '--token', SECRET],
    args_lost_bytes: 0,
  },
  {
    ...base,
    kind: 'file_open',
    origin: 'open',
    file_id: 1n,
    fd: 3,
    flags: 0,
    mode: 0,
    errno: 0,
    path: `/tmp/${SECRET}`,
  },
  { ...base, kind: 'file_change', operation: 'rename', path: `/a/${SECRET}`, new_path: `/b/${SECRET}`, errno: 0 },
  {
    ...base,
    kind: 'net_open',
    operation: 'connect',
    socket_id: 1n,
    fd: 3,
    transport: 'unix',
    local: socket,
    peer: socket,
    errno: 0,
  },
  {
    ...base,
    kind: 'net_name',
    socket_id: 1n,
    source: 'sni',
    name: `${SECRET}.x`,
    addresses: [],
    error_type: undefined,
  },
  { ...base, kind: 'agent_seen', comm: SECRET },
  { ...base, kind: 'target', reason: 'launched', agent_name: SECRET, agent_version: SECRET },
  {
    ...base,
    kind: 'process_facts',
    environment: { OTEL_RESOURCE_ATTRIBUTES: `a=${SECRET}` },
    user_name: 'u',
    container_id: undefined,
    home_directory: `/home/${SECRET}`,
  },
];

const parts = [
  { type: 'text', content: `use ${SECRET}` },
  { type: 'reasoning', content: SECRET },
  { type: 'tool_call', id: 'c1', name: 'run', arguments: { command: `login --password hunter2 ${SECRET}` } },
  { type: 'tool_call_response', id: 'c1', response: [{ text: SECRET }] },
  { type: 'uri', modality: 'image', mime_type: null, uri: `https://u:pw@h/${SECRET}` },
] as const;

const call: LlmCall = {
  ...base,
  kind: 'llm_call',
  phase: 'end',
  call_id: 'x',
  socket_id: 1n,
  provider: 'openai',
  server_address: 'api.example.com',
  server_port: 443,
  traceparent: undefined,
  tracestate: undefined,
  user_agent: `agent ${SECRET}`,
  request: {
    operation: 'chat',
    model: 'm',
    stream: false,
    stop_sequences: [SECRET],
    system_instructions: [{ type: 'text', content: SECRET }],
    messages: [{ role: 'user', parts, name: SECRET }],
    tools: [{ type: 'function', name: 'run', description: SECRET, parameters: { default: SECRET } }],
    attributes: { 'openai.request.service_tier': SECRET },
  },
  request_start_ns: 1n,
  request_end_ns: 2n,
  request_bytes: 10,
  response: {
    finish_reasons: ['stop'],
    messages: [{ role: 'assistant', parts }],
    tool_calls: [{ id: 'c1', name: 'run', arguments: { api_key: SECRET }, complete_ns: 3n }],
    usage: { input_tokens: 1 },
    attributes: {},
  },
  response_first_chunk_ns: 3n,
  end_ns: 4n,
  response_bytes: 10,
  http_status: 200,
  error: { type: 'invalid_request_error', message: `Incorrect API key provided: ${SECRET}` },
  gaps: [{ reason: 'malformed', bytes: 0, detail: SECRET }],
};

const mcpCall: McpCall = {
  kind: 'mcp_call',
  phase: 'end',
  call_id: '7:1/mcp/1/1',
  dialogue_id: '7:1/mcp/1',
  sender: 'client',
  process: '7:1',
  pid: 7,
  tid: 7,
  client_process: '7:1',
  server_process: undefined,
  transport: 'pipe',
  socket_id: 0n,
  server_address: undefined,
  server_port: undefined,
  client_info: { name: SECRET, version: SECRET },
  server_info: { name: SECRET, version: SECRET },
  protocol_version: SECRET,
  session_id: SECRET,
  method: SECRET,
  request_id: SECRET,
  tool_name: SECRET,
  prompt_name: SECRET,
  resource_uri: `https://ann:hunter2@example.com/${SECRET}`,
  arguments: { password: 'hunter2' },
  result: { content: [{ type: 'text', text: `PASSWORD=hunter2 ${SECRET}` }] },
  error: { type: '-32603', code: -32603, message: SECRET },
  traceparent: SECRET,
  tracestate: SECRET,
  start_ns: 1n,
  end_ns: 2n,
  request_bytes: 1,
  response_bytes: 1,
  notification_count: 0,
  gaps: [{ reason: 'malformed', bytes: 0, detail: SECRET }],
};

function run(items: readonly (Event | LlmCall | McpCall)[], counters: Counters = createCounters()) {
  const out: (Event | LlmCall | McpCall)[] = [];
  const stage = createRedact(redactOptionsSchema.parse({}), { push: (item) => void out.push(item) }, counters);
  for (const item of items) stage.push(item);
  return out;
}

const text = (value: unknown) => JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}n` : item));

describe('the stage through which everything goes into correlation', () => {
  for (const item of [...events, call, mcpCall]) {
    test(`no string of a ${item.kind} keeps a secret`, () => {
      const out = run([item]);
      assert.equal(out.length, 1);
      assert.ok(!text(out).includes(SECRET), text(out));
      assert.ok(!text(out).includes('hunter2'));
      assert.deepEqual(Object.keys(out[0] ?? {}).sort(), Object.keys(item).sort());
    });
  }

  test('what holds no secret is the same behind it', () => {
    const plain = {
      ...call,
      user_agent: 'curl/8',
      error: undefined,
      gaps: [],
      request: { ...call.request, messages: [] },
    };
    const request = { ...plain.request, stop_sequences: ['x'], system_instructions: [], tools: [], attributes: {} };
    const clean: LlmCall = { ...plain, request, response: undefined };
    assert.deepEqual(run([clean]), [clean]);
  });

  test('raw bytes go no further, and are counted', () => {
    const counters = createCounters();
    const raw: Event = { ...base, kind: 'net_payload', protocol: 'dns', socket_id: 1n, payload: new Uint8Array(2) };
    assert.deepEqual(run([raw], counters), []);
    assert.equal(counters.get('redact.raw_bytes_dropped'), 1);
  });

  test('every secret taken out is counted by kind, also of a text seen before', () => {
    const counters = createCounters();
    const long = {
      ...call,
      request: { ...call.request, messages: [], tools: [], attributes: {} },
      response: undefined,
    };
    const request = {
      ...long.request,
      stop_sequences: [],
      system_instructions: [{ type: 'text', content: `${'word '.repeat(200)}${SECRET}` } as const],
    };
    const one: LlmCall = { ...long, request, user_agent: undefined, error: undefined, gaps: [] };
    run([one, one, one], counters);
    assert.deepEqual(counters.entries(), [['redact.anthropic_key', 3]]);
  });
});
