import type { Message, MessagePart, ToolCall } from '../model/llm-call.ts';
import { asObjects, boundedJson, field, type JsonObject, parseArguments, stringField } from './json-value.ts';
import { openAiContent, toolResult } from './openai-content.ts';

/** Calls that the client has to carry out, by item type: the tool's name where the item has none, its input's field. */
const CLIENT_CALLS: Readonly<Record<string, { readonly name: string; readonly input: string }>> = {
  function_call: { name: '', input: 'arguments' },
  custom_tool_call: { name: '', input: 'input' },
  local_shell_call: { name: 'local_shell', input: 'action' },
  shell_call: { name: 'shell', input: 'action' },
  apply_patch_call: { name: 'apply_patch', input: 'operation' },
  computer_call: { name: 'computer', input: 'action' },
};

/** Calls that the provider carries out itself. */
const SERVER_CALLS: Readonly<Record<string, string>> = {
  web_search_call: 'action',
  file_search_call: 'queries',
  code_interpreter_call: 'code',
  image_generation_call: 'revised_prompt',
  mcp_call: 'arguments',
  tool_search_call: 'arguments',
};

function callParts(
  item: JsonObject,
  type: string,
): { readonly id: string | null; readonly name: string; readonly arguments: unknown } | undefined {
  const client = Object.hasOwn(CLIENT_CALLS, type) ? CLIENT_CALLS[type] : undefined;
  const input = client?.input ?? (Object.hasOwn(SERVER_CALLS, type) ? SERVER_CALLS[type] : undefined);
  if (input === undefined) return undefined;
  const raw = field(item, input);
  return {
    id: stringField(item, 'call_id') ?? stringField(item, 'id') ?? null,
    name: stringField(item, 'name') ?? (client?.name || type.replace(/_call$/, '')),
    arguments: typeof raw === 'string' && input === 'arguments' ? parseArguments(raw) : boundedJson(raw ?? null),
  };
}

/** Where such a call holds what it gave. A picture's is left out for its size. */
const SERVER_RESULTS: Readonly<Record<string, string>> = {
  mcp_call: 'output',
  file_search_call: 'results',
  code_interpreter_call: 'outputs',
};

function serverResult(item: JsonObject, type: string): unknown {
  if (!Object.hasOwn(SERVER_RESULTS, type)) return undefined;
  const error = field(item, 'error');
  if (error !== undefined && error !== null) return { is_error: true, content: boundedJson(error) };
  const result = field(item, SERVER_RESULTS[type] ?? '');
  return result === null ? undefined : boundedJson(result);
}

function reasoningParts(item: JsonObject): readonly MessagePart[] {
  const blocks = [...asObjects(field(item, 'summary')), ...asObjects(field(item, 'content'))];
  return blocks.flatMap((block) => {
    const content = stringField(block, 'text');
    return content === undefined ? [] : [{ type: 'reasoning', content } as const];
  });
}

const ROLES: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};

/** One item of a request's `input` or a response's `output`, as a message; undefined for items of unknown types. */
function itemMessage(item: JsonObject): Message | undefined {
  const type = stringField(item, 'type') ?? 'message';
  if (type === 'message') {
    const role = stringField(item, 'role') ?? '';
    const known = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
    return known === undefined ? undefined : { role: known, parts: openAiContent(field(item, 'content')) };
  }
  if (type === 'reasoning') return { role: 'assistant', parts: reasoningParts(item) };
  const call = callParts(item, type);
  if (call !== undefined) {
    const parts: MessagePart[] = [{ type: 'tool_call', ...call }];
    const response = serverResult(item, type);
    if (response !== undefined) parts.push({ type: 'tool_call_response', id: call.id, response });
    return { role: 'assistant', parts };
  }
  if (!type.endsWith('_output')) return undefined;
  const id = stringField(item, 'call_id') ?? stringField(item, 'id') ?? null;
  const response = boundedJson(toolResult(field(item, 'output')) ?? null);
  return { role: 'tool', parts: [{ type: 'tool_call_response', id, response }] };
}

/** The call in an item that the client has to carry out. */
export function itemToolCall(item: JsonObject, complete_ns: bigint): ToolCall | undefined {
  const type = stringField(item, 'type') ?? '';
  if (!Object.hasOwn(CLIENT_CALLS, type)) return undefined;
  const call = callParts(item, type);
  return call && { id: call.id ?? '', name: call.name, arguments: call.arguments, complete_ns };
}

/** Items as messages: neighbours of the same role become one. */
export function itemMessages(items: readonly JsonObject[]): readonly Message[] {
  const messages: { role: Message['role']; parts: MessagePart[] }[] = [];
  for (const item of items) {
    const message = itemMessage(item);
    if (message === undefined || message.parts.length === 0) continue;
    const last = messages.at(-1);
    if (last?.role === message.role && message.role !== 'user') last.parts.push(...message.parts);
    else messages.push({ role: message.role, parts: [...message.parts] });
  }
  return messages;
}
