import type { LlmRequest } from '../model/llm-call.ts';
import { createAnthropicReader } from './anthropic-reader.ts';
import { createCohereReader } from './cohere-reader.ts';
import { createConverseReader } from './converse-reader.ts';
import { createGeminiReader } from './gemini-reader.ts';
import { jsonItems } from './json-items.ts';
import { asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { createOllamaReader } from './ollama-reader.ts';
import { createChatReader } from './openai-chat-reader.ts';
import { createResponsesReader } from './openai-responses-reader.ts';
import { createPromptReader } from './prompt-reader.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';

const ANTHROPIC_TYPE = /^(?:message|message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping)$/;

/** The reader for answers that look like this one, whole or the first piece of a stream. */
function readerFor(body: JsonObject, event: string | undefined, request: LlmRequest, head: HttpResponseHead) {
  const type = stringField(body, 'type') ?? event ?? '';
  const has = (...names: readonly string[]) => names.some((name) => field(body, name) !== undefined);
  if (ANTHROPIC_TYPE.test(type)) return createAnthropicReader(head);
  if (type.startsWith('response.') || stringField(body, 'object')?.startsWith('response')) {
    return createResponsesReader(request, head);
  }
  if (has('candidates', 'usageMetadata', 'promptFeedback') || field(body, 'response', 'candidates') !== undefined) {
    return createGeminiReader(head);
  }
  const is_converse = field(body, 'output', 'message') !== undefined || has('messageStart', 'contentBlockDelta');
  if (is_converse) return createConverseReader(head);
  if (type === 'message-start' || Array.isArray(field(body, 'message', 'content'))) return createCohereReader(head);
  if (typeof field(body, 'done') === 'boolean' && has('message', 'response')) return createOllamaReader(head);
  if (has('choices', 'data', 'error') || head.status >= 400) return createChatReader(request, head);
  return createPromptReader(head);
}

/** Reads an answer of an API that is only known by what it says: its first piece tells who reads it. */
export function createShapeReader(request: LlmRequest, head: HttpResponseHead): ResponseReader {
  let reader: ResponseReader | undefined;
  return {
    pushEvent(event, ktime_ns) {
      const body = reader === undefined ? asObject(parseJson(event.data)) : undefined;
      if (body !== undefined) reader = readerFor(body, event.event, request, head);
      (reader ?? createPromptReader(head)).pushEvent(event, ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const [first] = jsonItems(body.toString('utf8')).items;
      reader ??= first === undefined ? createPromptReader(head) : readerFor(first, undefined, request, head);
      reader.pushBody(body, ktime_ns);
    },
    get complete() {
      return reader?.complete ?? false;
    },
    result: () => (reader ?? createPromptReader(head)).result(),
  };
}
