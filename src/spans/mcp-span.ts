import {
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PROTOCOL_NAME,
  ATTR_NETWORK_TRANSPORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import type { McpActivity } from '../model/activity.ts';
import type { McpCall } from '../model/mcp-call.ts';
import { type LooseAttributes, spanName } from './bounded-attributes.ts';
import { contentText } from './content-json.ts';
import {
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_TOOL_CALL_RESULT,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_JSONRPC_REQUEST_ID,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_RESOURCE_URI,
  ATTR_MCP_SESSION_ID,
  ATTR_RPC_RESPONSE_STATUS_CODE,
  ATTR_UNDERSIGHT_CAPTURE_GAP,
  ATTR_UNDERSIGHT_ERROR_MESSAGE,
  ATTR_UNDERSIGHT_MCP_NOTIFICATION_COUNT,
  ATTR_UNDERSIGHT_MCP_PARAMS,
  ATTR_UNDERSIGHT_MCP_RESULT,
  ATTR_UNDERSIGHT_MCP_SENDER,
  ATTR_UNDERSIGHT_MCP_SERVER_NAME,
  ATTR_UNDERSIGHT_MCP_SERVER_VERSION,
} from './semconv.gen.ts';
import { effectBody, type SpanBody, unlessEmpty, unlessZero } from './span-body.ts';

/** What spans of MCP have, and a tool call that a server carries out. */
export function mcpAttributes(call: McpCall): LooseAttributes {
  const is_http = call.transport !== 'pipe';
  return {
    [ATTR_MCP_METHOD_NAME]: call.method,
    [ATTR_MCP_SESSION_ID]: call.session_id,
    [ATTR_MCP_PROTOCOL_VERSION]: call.protocol_version,
    [ATTR_JSONRPC_REQUEST_ID]: call.request_id,
    [ATTR_RPC_RESPONSE_STATUS_CODE]: call.error?.code === undefined ? undefined : String(call.error.code),
    [ATTR_NETWORK_TRANSPORT]: call.transport,
    [ATTR_NETWORK_PROTOCOL_NAME]: is_http ? 'http' : undefined,
    [ATTR_SERVER_ADDRESS]: call.server_address,
    [ATTR_SERVER_PORT]: call.server_address === undefined ? undefined : call.server_port,
    [ATTR_UNDERSIGHT_MCP_SERVER_NAME]: call.server_info?.name,
    [ATTR_UNDERSIGHT_MCP_SERVER_VERSION]: call.server_info?.version,
    [ATTR_UNDERSIGHT_MCP_NOTIFICATION_COUNT]: unlessZero(call.notification_count),
    [ATTR_UNDERSIGHT_CAPTURE_GAP]: [...new Set(call.gaps.map(({ reason }) => reason))],
  };
}

export function mcpErrorContent(call: McpCall | undefined): LooseAttributes {
  return { [ATTR_UNDERSIGHT_ERROR_MESSAGE]: unlessEmpty(call?.error?.message ?? '') };
}

export function mcpSpan(activity: McpActivity): SpanBody {
  const { call } = activity;
  const is_tool = call.method === 'tools/call';
  return effectBody(activity, {
    name: spanName(call.method, call.tool_name ?? call.prompt_name),
    kind: 'client',
    failed: call.error !== undefined,
    attributes: {
      [ATTR_GEN_AI_OPERATION_NAME]: is_tool && !activity.is_part ? 'execute_tool' : undefined,
      [ATTR_GEN_AI_TOOL_NAME]: call.tool_name,
      [ATTR_GEN_AI_PROMPT_NAME]: call.prompt_name,
      [ATTR_MCP_RESOURCE_URI]: call.resource_uri,
      [ATTR_ERROR_TYPE]: call.error?.type,
      [ATTR_UNDERSIGHT_MCP_SENDER]: call.sender,
      ...mcpAttributes(call),
    },
    content: {
      [is_tool ? ATTR_GEN_AI_TOOL_CALL_ARGUMENTS : ATTR_UNDERSIGHT_MCP_PARAMS]: contentText(call.arguments),
      [is_tool ? ATTR_GEN_AI_TOOL_CALL_RESULT : ATTR_UNDERSIGHT_MCP_RESULT]: contentText(call.result),
      ...mcpErrorContent(call),
    },
  });
}
