import type { MessagePart } from '../model/llm-call.ts';
import { asObjects, type JsonObject, stringField } from './json-value.ts';
import { mediaFromUrl } from './media-part.ts';

function imagePart(block: JsonObject): MessagePart | undefined {
  const url = stringField(block, 'image_url') ?? stringField(block, 'image_url', 'url');
  if (url !== undefined) return mediaFromUrl('image', url);
  const file = stringField(block, 'file_id');
  return file === undefined ? undefined : { type: 'file', modality: 'image', mime_type: null, file_id: file };
}

function filePart(block: JsonObject): MessagePart | undefined {
  const id = stringField(block, 'file_id') ?? stringField(block, 'file', 'file_id');
  if (id !== undefined) return { type: 'file', modality: 'document', mime_type: null, file_id: id };
  const url =
    stringField(block, 'file_url') ?? stringField(block, 'file_data') ?? stringField(block, 'file', 'file_data');
  return url === undefined ? undefined : mediaFromUrl('document', url);
}

function audioPart(block: JsonObject): MessagePart | undefined {
  const content = stringField(block, 'input_audio', 'data');
  if (content === undefined) return undefined;
  const format = stringField(block, 'input_audio', 'format');
  return { type: 'blob', modality: 'audio', mime_type: format === undefined ? null : `audio/${format}`, content };
}

function contentPart(block: JsonObject): MessagePart | undefined {
  const type = stringField(block, 'type');
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
    case 'refusal': {
      const content = stringField(block, type === 'refusal' ? 'refusal' : 'text');
      return content === undefined ? undefined : { type: 'text', content };
    }
    case 'reasoning_text':
    case 'summary_text': {
      const content = stringField(block, 'text');
      return content === undefined ? undefined : { type: 'reasoning', content };
    }
    case 'image_url':
    case 'input_image':
      return imagePart(block);
    case 'file':
    case 'input_file':
      return filePart(block);
    case 'input_audio':
      return audioPart(block);
    default:
      return undefined;
  }
}

/** The `content` of a message or item of OpenAI's APIs: a text, or a list of blocks. Unknown blocks are left out. */
export function openAiContent(content: unknown): readonly MessagePart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return asObjects(content).flatMap((block) => contentPart(block) ?? []);
}

/** A tool's result: one text where it is nothing but text, else as it came. */
export function toolResult(output: unknown): unknown {
  if (!Array.isArray(output)) return output;
  const parts = openAiContent(output);
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.content] : []));
  return texts.length === output.length ? texts.join('\n') : output;
}
