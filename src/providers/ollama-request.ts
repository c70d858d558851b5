import type { LlmRequest, Message, MessagePart, ToolDefinition } from '../model/llm-call.ts';
import {
  asCount,
  asNumber,
  asObject,
  asObjects,
  boundedJson,
  field,
  type JsonObject,
  parseArguments,
  stringField,
} from './json-value.ts';

const TEXT_LIMIT = 4096;

function text(value: unknown): readonly MessagePart[] {
  return typeof value === 'string' && value !== '' ? [{ type: 'text', content: value }] : [];
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.slice(0, TEXT_LIMIT).filter((item) => typeof item === 'string') : [];
}

function images(value: unknown): readonly MessagePart[] {
  return strings(value).map((content) => ({ type: 'blob', modality: 'image', mime_type: null, content }));
}

/** A call in `tool_calls`. Its arguments are an object; only newer servers give ids. */
export function ollamaToolCall(call: JsonObject) {
  const args = field(call, 'function', 'arguments');
  return {
    id: stringField(call, 'id') || null,
    name: stringField(call, 'function', 'name') ?? '',
    arguments: typeof args === 'string' ? parseArguments(args) : boundedJson(args ?? {}),
  };
}

function message(source: JsonObject): Message | undefined {
  const role = stringField(source, 'role');
  const content = field(source, 'content');
  switch (role) {
    case 'system':
    case 'user':
      return { role, parts: [...text(content), ...images(field(source, 'images'))] };
    case 'assistant': {
      const thinking = stringField(source, 'thinking');
      const parts: MessagePart[] = thinking ? [{ type: 'reasoning', content: thinking }] : [];
      parts.push(...text(content));
      for (const call of asObjects(field(source, 'tool_calls'))) {
        parts.push({ type: 'tool_call', ...ollamaToolCall(call) });
      }
      return { role, parts };
    }
    case 'tool': {
      const id = stringField(source, 'tool_call_id') || null;
      return { role, parts: [{ type: 'tool_call_response', id, response: boundedJson(content ?? null) }] };
    }
    default:
      return undefined;
  }
}

function toolDefinition(tool: JsonObject): ToolDefinition | undefined {
  const definition = field(tool, 'function');
  const name = stringField(definition, 'name');
  if (name === undefined) return undefined;
  const description = stringField(definition, 'description');
  const parameters = asObject(field(definition, 'parameters'));
  return {
    type: stringField(tool, 'type') ?? 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
  };
}

/** What all requests have in common. A limit of -1 is none. */
function parameters(body: JsonObject) {
  const options = field(body, 'options');
  const stop = field(options, 'stop');
  const format = field(body, 'format');
  return {
    model: stringField(body, 'model'),
    stream: field(body, 'stream') !== false,
    max_tokens: asCount(field(options, 'num_predict')),
    temperature: asNumber(field(options, 'temperature')),
    top_p: asNumber(field(options, 'top_p')),
    top_k: asNumber(field(options, 'top_k')),
    frequency_penalty: asNumber(field(options, 'frequency_penalty')),
    presence_penalty: asNumber(field(options, 'presence_penalty')),
    seed: asNumber(field(options, 'seed')),
    stop_sequences: typeof stop === 'string' ? [stop] : Array.isArray(stop) ? strings(stop).slice(0, 64) : undefined,
    output_type: format === 'json' || asObject(format) !== undefined ? 'json' : undefined,
    tools: asObjects(field(body, 'tools')).flatMap((tool) => toolDefinition(tool) ?? []),
    attributes: {},
  };
}

/** The body of POST /api/chat. */
export function ollamaChatRequest(body: JsonObject): LlmRequest {
  const messages = asObjects(field(body, 'messages')).flatMap((source) => message(source) ?? []);
  return { operation: 'chat', ...parameters(body), system_instructions: [], messages };
}

/** The body of POST /api/generate. */
export function ollamaGenerateRequest(body: JsonObject): LlmRequest {
  const parts = [...text(field(body, 'prompt')), ...images(field(body, 'images'))];
  return {
    operation: 'text_completion',
    ...parameters(body),
    system_instructions: text(field(body, 'system')),
    messages: parts.length === 0 ? [] : [{ role: 'user', parts }],
  };
}

/** The body of POST /api/embed, and of its forerunner /api/embeddings, which has a prompt. */
export function ollamaEmbeddingsRequest(body: JsonObject): LlmRequest {
  const input = field(body, 'input') ?? field(body, 'prompt');
  const parts = (Array.isArray(input) ? strings(input) : [input]).flatMap(text);
  const dimensions = asCount(field(body, 'dimensions'));
  return {
    operation: 'embeddings',
    ...parameters(body),
    stream: false,
    system_instructions: [],
    messages: parts.length === 0 ? [] : [{ role: 'user', parts }],
    attributes: dimensions === undefined ? {} : { 'gen_ai.embeddings.dimension.count': dimensions },
  };
}
