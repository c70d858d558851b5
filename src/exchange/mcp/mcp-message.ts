import type { McpCall, McpImplementation } from '../../model/mcp-call.ts';
import type { JsonRpcMessage } from '../../protocol/json-rpc.ts';
import { asObject, boundedJson, field, stringField } from '../../providers/json-value.ts';

/** A message that asks or tells something. */
export type McpMessage = Exclude<JsonRpcMessage, { type: 'response' }>;

/** Who sends what in the Model Context Protocol (https://modelcontextprotocol.io/specification/2025-11-25/schema, and 2026-07-28). */
const SENDERS: Readonly<Record<string, McpCall['sender'] | 'either'>> = {
  'server/discover': 'client',
  'subscriptions/listen': 'client',
  'tools/list': 'client',
  'tools/call': 'client',
  'resources/list': 'client',
  'resources/templates/list': 'client',
  'resources/read': 'client',
  'resources/subscribe': 'client',
  'resources/unsubscribe': 'client',
  'prompts/list': 'client',
  'prompts/get': 'client',
  'completion/complete': 'client',
  'logging/setLevel': 'client',
  'notifications/initialized': 'client',
  'notifications/roots/list_changed': 'client',
  'sampling/createMessage': 'server',
  'elicitation/create': 'server',
  'roots/list': 'server',
  'notifications/message': 'server',
  'notifications/resources/updated': 'server',
  'notifications/resources/list_changed': 'server',
  'notifications/tools/list_changed': 'server',
  'notifications/prompts/list_changed': 'server',
  'notifications/elicitation/complete': 'server',
  'notifications/cancelled': 'either',
  'notifications/progress': 'either',
};
/** Of language servers, and of agents that an editor drives. */
const FOREIGN =
  /^(?:textDocument|workspace|window|client|session|thread|turn|account)\/|^\$\/|^(?:initialized|shutdown|exit|authenticate|newConversation|sendUserTurn)$/;
/** From 2026-07-28 on each request says in its `_meta` what `initialize` said before. */
const META = 'io.modelcontextprotocol/';
const PROTOCOL_VERSION = /^(?:\d{4}-\d{2}-\d{2}\b|DRAFT-)/;
const META_VERSION = ['_meta', `${META}protocolVersion`];
const INITIALIZE_VERSION = ['protocolVersion'];
const MAX_NAME_CHARS = 1024;

/**
 * Who sends this, judged by the message alone; undefined for what other protocols over JSON-RPC have, too (`ping`), or have
 * instead. `initialize` is MCP's only with a protocol version as MCP writes it: language servers have none, and agent
 * protocols a number.
 */
export function mcpSender({ method, params }: McpMessage): McpCall['sender'] | 'either' | undefined {
  if (Object.hasOwn(SENDERS, method)) return SENDERS[method];
  const version = stringField(params, ...(method === 'initialize' ? INITIALIZE_VERSION : META_VERSION));
  return PROTOCOL_VERSION.test(version ?? '') ? 'client' : undefined;
}

/** What a client says of itself: with `initialize`, or with each request. */
export function clientFacts({ method, params }: McpMessage): Pick<McpCall, 'client_info' | 'protocol_version'> {
  const is_initialize = method === 'initialize';
  const info = is_initialize ? field(params, 'clientInfo') : field(params, '_meta', `${META}clientInfo`);
  const version = stringField(params, ...(is_initialize ? INITIALIZE_VERSION : META_VERSION));
  return { client_info: mcpImplementation(info), protocol_version: version?.slice(0, MAX_NAME_CHARS) };
}

/** Another protocol: it begins like this one, but with other parameters, or has methods that this one has not. */
export function isForeign(message: McpMessage): boolean {
  const { method } = message;
  return method === 'initialize' ? mcpSender(message) === undefined : FOREIGN.test(method);
}

type Subject = Pick<McpCall, 'tool_name' | 'prompt_name' | 'resource_uri' | 'arguments' | 'traceparent' | 'tracestate'>;

/** What a message is about, by its parameters. */
export function mcpSubject({ method, params }: McpMessage): Subject {
  const has_arguments = method === 'tools/call' || method === 'prompts/get';
  return {
    tool_name: method === 'tools/call' ? shortText(params, 'name') : undefined,
    prompt_name: method === 'prompts/get' ? shortText(params, 'name') : undefined,
    resource_uri: /(?:^|\/)resources\//.test(method) ? shortText(params, 'uri') : undefined,
    arguments: boundedJson(has_arguments ? field(params, 'arguments') : withoutMeta(params)),
    traceparent: shortText(params, '_meta', 'traceparent'),
    tracestate: shortText(params, '_meta', 'tracestate'),
  };
}

/** A `clientInfo` or `serverInfo`. */
export function mcpImplementation(value: unknown): McpImplementation | undefined {
  const name = shortText(value, 'name');
  return name === undefined ? undefined : { name, version: shortText(value, 'version') };
}

/** Why a response is a failure. */
export function mcpError(method: string, result: unknown, error: unknown): McpCall['error'] {
  if (error !== undefined && error !== null) {
    const code = field(error, 'code');
    const known_code = typeof code === 'number' && Number.isSafeInteger(code) ? code : undefined;
    const message = shortText(error, 'message') ?? '';
    return { type: known_code === undefined ? 'error' : String(known_code), code: known_code, message };
  }
  const is_failed = method === 'tools/call' && field(result, 'isError') === true;
  return is_failed ? { type: 'tool_error', code: undefined, message: '' } : undefined;
}

function shortText(value: unknown, ...names: readonly string[]): string | undefined {
  return stringField(value, ...names)?.slice(0, MAX_NAME_CHARS);
}

function withoutMeta(params: unknown): unknown {
  const { _meta, ...rest } = asObject(params) ?? {};
  return Object.keys(rest).length === 0 ? undefined : rest;
}
