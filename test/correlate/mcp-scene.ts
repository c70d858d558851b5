import type { McpCall } from '../../src/model/mcp-call.ts';
import type { Actor } from './activities.ts';
import type { Scene } from './scene.ts';

/** A client sends something to an MCP server; what it gives ends it. */
export function sendMcp(
  scene: Scene,
  client: Actor,
  server: Actor | undefined,
  fields: Partial<McpCall> = {},
): McpCall {
  const start_ns = scene.step();
  const call: McpCall = {
    kind: 'mcp_call',
    phase: 'request',
    call_id: `mcp${start_ns}`,
    dialogue_id: `dialogue ${server?.key}`,
    sender: 'client',
    process: client.key,
    pid: client.pid,
    tid: client.pid,
    client_process: client.key,
    server_process: server?.key,
    transport: 'pipe',
    socket_id: 0n,
    server_address: undefined,
    server_port: undefined,
    client_info: undefined,
    server_info: { name: 'files', version: '1' },
    protocol_version: '2025-06-18',
    session_id: undefined,
    method: 'tools/call',
    request_id: '1',
    tool_name: undefined,
    prompt_name: undefined,
    resource_uri: undefined,
    arguments: undefined,
    result: undefined,
    error: undefined,
    traceparent: undefined,
    tracestate: undefined,
    start_ns,
    end_ns: start_ns,
    request_bytes: 100,
    response_bytes: 0,
    notification_count: 0,
    gaps: [],
    ...fields,
  };
  scene.push(call);
  return call;
}

export function answerMcp(scene: Scene, call: McpCall, fields: Partial<McpCall> = {}): void {
  scene.push({ ...call, phase: 'end', result: {}, end_ns: scene.step(), ...fields });
}
