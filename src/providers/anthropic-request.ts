import type { LlmRequest, Message, ToolDefinition } from '../model/llm-call.ts';
import { anthropicParts } from './anthropic-content.ts';
import {
  asCount,
  asNumber,
  asObject,
  asObjects,
  boundedJson,
  field,
  type JsonObject,
  stringField,
} from './json-value.ts';
import { roleMessages } from './role-messages.ts';
import { userIdSession } from './session-id.ts';

function messages(message: JsonObject): readonly Message[] {
  return roleMessages(stringField(message, 'role'), anthropicParts(field(message, 'content')));
}

function toolDefinition(tool: JsonObject): ToolDefinition | undefined {
  const name = stringField(tool, 'name');
  if (name === undefined) return undefined;
  const type = stringField(tool, 'type') ?? 'custom';
  const description = stringField(tool, 'description');
  const parameters = asObject(field(tool, 'input_schema'));
  return {
    type: type === 'custom' ? 'function' : type,
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
  };
}

/** The body of POST /v1/messages. */
export function anthropicRequest(body: JsonObject): LlmRequest {
  const stop = field(body, 'stop_sequences');
  const format = stringField(body, 'output_config', 'format', 'type') ?? stringField(body, 'output_format', 'type');
  const session = userIdSession(stringField(body, 'metadata', 'user_id'));
  return {
    operation: 'chat',
    model: stringField(body, 'model'),
    ...(session === undefined ? {} : { conversation_id: session, conversation_is_session: true }),
    stream: field(body, 'stream') === true,
    max_tokens: asCount(field(body, 'max_tokens')),
    temperature: asNumber(field(body, 'temperature')),
    top_p: asNumber(field(body, 'top_p')),
    top_k: asNumber(field(body, 'top_k')),
    stop_sequences: Array.isArray(stop) ? stop.slice(0, 64).filter((item) => typeof item === 'string') : undefined,
    output_type: format?.startsWith('json') ? 'json' : undefined,
    system_instructions: anthropicParts(field(body, 'system')),
    messages: asObjects(field(body, 'messages')).flatMap(messages),
    tools: asObjects(field(body, 'tools')).flatMap((tool) => toolDefinition(tool) ?? []),
    attributes: {},
  };
}
