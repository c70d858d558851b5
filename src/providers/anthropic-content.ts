import type { MessagePart } from '../model/llm-call.ts';
import { asObjects, boundedJson, field, type JsonObject, stringField } from './json-value.ts';

function mediaPart(block: JsonObject, modality: string): MessagePart | undefined {
  const mimeType = stringField(block, 'source', 'media_type') ?? null;
  const data = stringField(block, 'source', 'data');
  const url = stringField(block, 'source', 'url');
  const file = stringField(block, 'source', 'file_id') ?? stringField(block, 'file_id');
  if (data !== undefined) {
    const isText = stringField(block, 'source', 'type') === 'text';
    return isText ? { type: 'text', content: data } : { type: 'blob', modality, mime_type: mimeType, content: data };
  }
  if (url !== undefined) return { type: 'uri', modality, mime_type: mimeType, uri: url };
  return file === undefined ? undefined : { type: 'file', modality, mime_type: mimeType, file_id: file };
}

/** The content of a tool's result: one text where it is nothing but text, else as it came. */
function resultContent(block: JsonObject): unknown {
  const content = field(block, 'content');
  const blocks = asObjects(content);
  const texts = blocks.flatMap((item) =>
    stringField(item, 'type') === 'text' ? (stringField(item, 'text') ?? '') : [],
  );
  const isText = Array.isArray(content) && texts.length === content.length;
  const result = isText ? texts.join('\n') : boundedJson(content ?? null);
  return field(block, 'is_error') === true ? { is_error: true, content: result } : result;
}

/** One content block as a part; undefined for blocks of unknown types. */
export function anthropicPart(block: JsonObject): MessagePart | undefined {
  const type = stringField(block, 'type') ?? '';
  switch (type) {
    case 'text':
      return { type: 'text', content: stringField(block, 'text') ?? '' };
    case 'thinking':
      return { type: 'reasoning', content: stringField(block, 'thinking') ?? '' };
    case 'redacted_thinking':
      // Its data is encrypted; that there was some thinking is all it says.
      return { type: 'reasoning', content: '' };
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return {
        type: 'tool_call',
        id: stringField(block, 'id') ?? null,
        name: stringField(block, 'name') ?? '',
        arguments: boundedJson(field(block, 'input') ?? {}),
      };
    case 'image':
      return mediaPart(block, 'image');
    case 'document':
    case 'container_upload':
      return mediaPart(block, 'document');
    case 'search_result':
      return {
        type: 'text',
        content: anthropicParts(field(block, 'content'))
          .flatMap((part) => (part.type === 'text' ? part.content : []))
          .join('\n'),
      };
    default:
      if (!type.endsWith('tool_result')) return undefined;
      return {
        type: 'tool_call_response',
        id: stringField(block, 'tool_use_id') ?? null,
        response: resultContent(block),
      };
  }
}

/** The `content` of a message, or `system`: a text, or a list of blocks. */
export function anthropicParts(content: unknown): readonly MessagePart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return asObjects(content).flatMap((block) => anthropicPart(block) ?? []);
}
