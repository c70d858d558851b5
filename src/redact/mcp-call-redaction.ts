import type { McpCall, McpImplementation } from '../model/mcp-call.ts';
import type { Redactor } from './redactor.ts';

/** Takes the secrets out of everything in a call that a program or a person wrote. */
export function redactMcpCall(redactor: Redactor, call: McpCall): McpCall {
  const text = (value: string | undefined) => (value === undefined ? undefined : redactor.text(value));
  const named = (info: McpImplementation | undefined) =>
    info && { name: redactor.text(info.name), version: text(info.version) };
  return {
    ...call,
    client_info: named(call.client_info),
    server_info: named(call.server_info),
    protocol_version: text(call.protocol_version),
    session_id: text(call.session_id),
    method: redactor.text(call.method),
    request_id: text(call.request_id),
    tool_name: text(call.tool_name),
    prompt_name: text(call.prompt_name),
    resource_uri: text(call.resource_uri),
    arguments: redactor.value(call.arguments),
    result: redactor.value(call.result),
    error: call.error && { ...call.error, message: redactor.text(call.error.message) },
    traceparent: text(call.traceparent),
    tracestate: text(call.tracestate),
    gaps: call.gaps.map((gap) => ({ ...gap, detail: redactor.text(gap.detail) })),
  };
}
