import type { Message, MessagePart } from '../model/llm-call.ts';
import { asObject, boundedJson, field, type JsonObject, stringField } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';

const MODALITIES = /^(?:image|audio|video)(?=\/)/;

function mediaPart(part: JsonObject): MessagePart | undefined {
  const data = protoField(part, 'inlineData');
  const source = data ?? protoField(part, 'fileData');
  const mime_type = protoString(source, 'mimeType') ?? null;
  const modality = MODALITIES.exec(mime_type ?? '')?.[0] ?? 'document';
  const content = stringField(data, 'data');
  if (content !== undefined) return { type: 'blob', modality, mime_type, content };
  const uri = protoString(source, 'fileUri');
  return uri === undefined ? undefined : { type: 'uri', modality, mime_type, uri };
}

/** A tool's answer: `output` and `error` are names the API gives a meaning, anything else is the answer as it is. */
function toolResponse(response: unknown): unknown {
  const object = asObject(response);
  if (object === undefined) return boundedJson(response ?? null);
  const error = field(object, 'error');
  if (error !== undefined && error !== null) return { is_error: true, content: boundedJson(error) };
  const is_output = Object.keys(object).length === 1 && Object.hasOwn(object, 'output');
  return boundedJson(is_output ? object.output : object);
}

/** One part of a content; undefined for parts of unknown types. */
export function geminiPart(part: JsonObject): MessagePart | undefined {
  const text = stringField(part, 'text');
  if (text !== undefined) return { type: field(part, 'thought') === true ? 'reasoning' : 'text', content: text };
  const call = asObject(protoField(part, 'functionCall')) ?? asObject(protoField(part, 'toolCall'));
  if (call !== undefined) {
    const name = stringField(call, 'name') ?? protoString(call, 'toolType') ?? '';
    return { type: 'tool_call', id: idOf(call), name, arguments: boundedJson(field(call, 'args') ?? {}) };
  }
  const response = asObject(protoField(part, 'functionResponse')) ?? asObject(protoField(part, 'toolResponse'));
  if (response !== undefined) {
    return { type: 'tool_call_response', id: idOf(response), response: toolResponse(field(response, 'response')) };
  }
  const code = asObject(protoField(part, 'executableCode'));
  if (code !== undefined) {
    return { type: 'tool_call', id: idOf(code), name: 'code_execution', arguments: boundedJson(code) };
  }
  const result = asObject(protoField(part, 'codeExecutionResult'));
  if (result !== undefined) {
    return { type: 'tool_call_response', id: idOf(result), response: boundedJson(field(result, 'output') ?? null) };
  }
  return mediaPart(part);
}

function idOf(value: JsonObject): string | null {
  return stringField(value, 'id') || null;
}

/** The parts of a content: `{role, parts}`. */
export function geminiParts(content: unknown): readonly MessagePart[] {
  return protoObjects(content, 'parts').flatMap((source) => {
    const part = geminiPart(source);
    return part === undefined || (part.type === 'text' && part.content === '') ? [] : part;
  });
}

/** One of `contents`. Tool results come in a user's content; the conventions give them a role of their own. */
export function geminiMessages(content: JsonObject): readonly Message[] {
  const parts = geminiParts(content);
  const role = stringField(content, 'role');
  if (role === 'model') return [{ role: 'assistant', parts }];
  const results = parts.filter((part) => part.type === 'tool_call_response');
  const others = parts.filter((part) => part.type !== 'tool_call_response');
  const split: Message[] = [];
  if (results.length > 0) split.push({ role: 'tool', parts: results });
  if (others.length > 0) split.push({ role: role === 'system' ? 'system' : 'user', parts: others });
  return split;
}
