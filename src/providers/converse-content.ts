import type { Message, MessagePart } from '../model/llm-call.ts';
import { asObject, asObjects, boundedJson, field, type JsonObject, stringField } from './json-value.ts';
import { roleMessages } from './role-messages.ts';

function mediaPart(modality: string, media: JsonObject): MessagePart | undefined {
  const format = stringField(media, 'format');
  const mime_type = format === undefined ? null : modality === 'document' ? format : `${modality}/${format}`;
  const content = stringField(media, 'source', 'bytes');
  const uri = stringField(media, 'source', 's3Location', 'uri');
  const text = stringField(media, 'source', 'text');
  if (content !== undefined) return { type: 'blob', modality, mime_type, content };
  if (text !== undefined) return { type: 'text', content: text };
  return uri === undefined ? undefined : { type: 'uri', modality, mime_type, uri };
}

/** One text where it is nothing but text, the value where it is one JSON value, else as it came. */
function toolResult(result: JsonObject): unknown {
  const blocks = asObjects(field(result, 'content'));
  const texts = blocks.flatMap((block) => stringField(block, 'text') ?? []);
  const is_text = texts.length > 0 && texts.length === blocks.length;
  const only = blocks.length === 1 ? field(blocks[0], 'json') : undefined;
  const content = is_text ? texts.join('\n') : boundedJson(only ?? blocks);
  return stringField(result, 'status') === 'error' ? { is_error: true, content } : content;
}

/** One content block of the Converse API, an object with one member, as a part; undefined for blocks of unknown kinds. */
export function conversePart(block: JsonObject): MessagePart | undefined {
  const text = stringField(block, 'text') ?? stringField(block, 'guardContent', 'text', 'text');
  if (text !== undefined) return { type: 'text', content: text };
  const reasoning = field(block, 'reasoningContent');
  // What is redacted is encrypted; that there was some thinking is all it says.
  if (reasoning !== undefined) {
    return { type: 'reasoning', content: stringField(reasoning, 'reasoningText', 'text') ?? '' };
  }
  const call = asObject(field(block, 'toolUse'));
  if (call !== undefined) {
    return {
      type: 'tool_call',
      id: stringField(call, 'toolUseId') ?? null,
      name: stringField(call, 'name') ?? '',
      arguments: boundedJson(field(call, 'input') ?? {}),
    };
  }
  const result = asObject(field(block, 'toolResult'));
  if (result !== undefined) {
    return {
      type: 'tool_call_response',
      id: stringField(result, 'toolUseId') ?? null,
      response: toolResult(result),
    };
  }
  const cited = field(block, 'citationsContent', 'content');
  if (cited !== undefined) {
    const texts = asObjects(cited).flatMap((item) => stringField(item, 'text') ?? []);
    return { type: 'text', content: texts.join('') };
  }
  for (const modality of ['image', 'document', 'video', 'audio']) {
    const media = asObject(field(block, modality));
    if (media !== undefined) return mediaPart(modality, media);
  }
  return undefined;
}

/** The `content` of a message, or `system`: blocks; some models take a mere text. */
export function converseParts(content: unknown): readonly MessagePart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return asObjects(content).flatMap((block) => conversePart(block) ?? []);
}

export function converseMessages(message: JsonObject): readonly Message[] {
  return roleMessages(stringField(message, 'role'), converseParts(field(message, 'content')));
}
