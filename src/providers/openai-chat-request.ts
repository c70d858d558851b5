import type { LlmRequest, Message, MessagePart, ToolDefinition } from '../model/llm-call.ts';
import {
  asObject,
  asObjects,
  asString,
  boundedJson,
  field,
  type JsonObject,
  parseArguments,
  stringField,
} from './json-value.ts';
import { openAiContent, toolResult } from './openai-content.ts';
import { openAiParameters, openAiRequestAttributes } from './openai-parameters.ts';

/** A tool call in a message: of a function, of a custom tool (free text), or in the form before there were ids. */
function chatToolCallParts(message: unknown): readonly MessagePart[] {
  const calls = asObjects(field(message, 'tool_calls')).map((call): MessagePart => {
    const custom = stringField(call, 'custom', 'input');
    return {
      type: 'tool_call',
      id: stringField(call, 'id') ?? null,
      name: stringField(call, 'function', 'name') ?? stringField(call, 'custom', 'name') ?? '',
      arguments: custom ?? parseArguments(stringField(call, 'function', 'arguments') ?? ''),
    };
  });
  const legacy = asObject(field(message, 'function_call'));
  if (legacy === undefined) return calls;
  const args = parseArguments(stringField(legacy, 'arguments') ?? '');
  return [...calls, { type: 'tool_call', id: null, name: stringField(legacy, 'name') ?? '', arguments: args }];
}

/** What the model thought, where the API shows it (DeepSeek, vLLM; OpenRouter). */
export function reasoningText(message: unknown): string | undefined {
  return stringField(message, 'reasoning_content') ?? stringField(message, 'reasoning');
}

function chatMessage(message: JsonObject): Message | undefined {
  const role = stringField(message, 'role');
  const name = stringField(message, 'name');
  const content = field(message, 'content');
  const named = name === undefined ? {} : { name };
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', parts: openAiContent(content), ...named };
    case 'user':
      return { role: 'user', parts: openAiContent(content), ...named };
    case 'assistant': {
      const reasoning = reasoningText(message);
      const refusal = stringField(message, 'refusal');
      const parts: MessagePart[] = [
        ...(reasoning ? [{ type: 'reasoning', content: reasoning } as const] : []),
        ...openAiContent(content),
        ...(refusal ? [{ type: 'text', content: refusal } as const] : []),
        ...chatToolCallParts(message),
      ];
      return { role, parts, ...named };
    }
    case 'tool':
    case 'function': {
      const id = stringField(message, 'tool_call_id') ?? null;
      const response = boundedJson(toolResult(content) ?? null);
      return { role: 'tool', parts: [{ type: 'tool_call_response', id, response }], ...named };
    }
    default:
      return undefined;
  }
}

function toolDefinition(tool: JsonObject): ToolDefinition | undefined {
  const type = stringField(tool, 'type') ?? 'function';
  const definition = asObject(field(tool, type)) ?? tool;
  const name = stringField(definition, 'name') ?? stringField(tool, 'type');
  if (name === undefined) return undefined;
  const description = stringField(definition, 'description');
  const parameters = asObject(field(definition, 'parameters'));
  return {
    type,
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
  };
}

/** The body of POST /chat/completions. */
export function chatRequest(body: JsonObject, provider: string, model: string | undefined): LlmRequest {
  return {
    operation: 'chat',
    model,
    ...openAiParameters(body),
    system_instructions: [],
    messages: asObjects(field(body, 'messages')).flatMap((message) => chatMessage(message) ?? []),
    tools: [...asObjects(field(body, 'tools')), ...asObjects(field(body, 'functions'))].flatMap(
      (tool) => toolDefinition(tool) ?? [],
    ),
    attributes: openAiRequestAttributes(body, provider, 'chat_completions'),
  };
}

function promptMessages(prompt: unknown): readonly Message[] {
  const prompts = Array.isArray(prompt) ? prompt.filter((item) => typeof item === 'string') : [asString(prompt) ?? ''];
  const parts = prompts.slice(0, 4096).map((content): MessagePart => ({ type: 'text', content }));
  return [{ role: 'user', parts: parts.filter((part) => part.type === 'text' && part.content !== '') }];
}

/** The body of POST /completions: a prompt to be continued. Prompts given as token numbers are left out. */
export function completionRequest(body: JsonObject, _provider: string, model: string | undefined): LlmRequest {
  return {
    operation: 'text_completion',
    model,
    ...openAiParameters(body),
    system_instructions: [],
    messages: promptMessages(field(body, 'prompt')),
    tools: [],
    attributes: {},
  };
}

/** The body of POST /embeddings. */
export function embeddingsRequest(body: JsonObject, _provider: string, model: string | undefined): LlmRequest {
  const dimensions = field(body, 'dimensions');
  return {
    operation: 'embeddings',
    model,
    stream: false,
    system_instructions: [],
    messages: promptMessages(field(body, 'input')),
    tools: [],
    attributes: typeof dimensions === 'number' ? { 'gen_ai.embeddings.dimension.count': dimensions } : {},
  };
}
