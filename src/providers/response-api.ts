import type { LlmRequest } from '../model/llm-call.ts';
import { anthropicMessages } from './anthropic.ts';
import { bedrockConverse, bedrockInvoke } from './bedrock.ts';
import { geminiGenerate } from './gemini.ts';
import { asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { ollamaChat, ollamaGenerate } from './ollama.ts';
import { openAiChat, openAiCompletions, openAiResponses } from './openai.ts';
import type { Provider, StreamEvent } from './provider.ts';

/** An API that shows in what it answers. */
export interface ResponseApi {
  readonly provider: Provider;
  /** gen_ai.provider.name where the host does not name another. */
  readonly protocol: string;
  readonly operation: LlmRequest['operation'];
}

const ANTHROPIC: ResponseApi = { provider: anthropicMessages, protocol: 'anthropic', operation: 'chat' };
const CHAT: ResponseApi = { provider: openAiChat, protocol: 'openai', operation: 'chat' };
const COMPLETION: ResponseApi = { provider: openAiCompletions, protocol: 'openai', operation: 'text_completion' };
const RESPONSES: ResponseApi = { provider: openAiResponses, protocol: 'openai', operation: 'chat' };
const GEMINI: ResponseApi = { provider: geminiGenerate, protocol: 'gcp.gemini', operation: 'generate_content' };
const OLLAMA_CHAT: ResponseApi = { provider: ollamaChat, protocol: 'ollama', operation: 'chat' };
const OLLAMA_TEXT: ResponseApi = { provider: ollamaGenerate, protocol: 'ollama', operation: 'text_completion' };
const CONVERSE: ResponseApi = { provider: bedrockConverse, protocol: 'aws.bedrock', operation: 'chat' };
const INVOKE: ResponseApi = { provider: bedrockInvoke, protocol: 'aws.bedrock', operation: 'chat' };

/**
 * The API that a response is of, by the names in one event of its stream, or in its whole body (`event` undefined).
 * undefined: it does not show, or it is no API of a model's.
 */
export function responseApi(body: JsonObject, event: StreamEvent['event']): ResponseApi | undefined {
  const has = (...names: readonly string[]): boolean => names.every((name) => field(body, name) !== undefined);
  if (isAnthropic(body)) return ANTHROPIC;
  switch (stringField(body, 'object')) {
    case 'chat.completion':
    case 'chat.completion.chunk':
      return Array.isArray(field(body, 'choices')) ? CHAT : undefined;
    case 'text_completion':
      return Array.isArray(field(body, 'choices')) ? COMPLETION : undefined;
    case 'response':
      return Array.isArray(field(body, 'output')) ? RESPONSES : undefined;
  }
  if (stringField(body, 'type')?.startsWith('response.') && (has('sequence_number') || has('response'))) {
    return RESPONSES;
  }
  const gemini = asObject(field(body, 'response')) ?? body;
  if (Array.isArray(field(gemini, 'candidates')) && field(gemini, 'usageMetadata') !== undefined) return GEMINI;
  if (has('model', 'created_at') && typeof field(body, 'done') === 'boolean') {
    if (asObject(field(body, 'message')) !== undefined) return OLLAMA_CHAT;
    return stringField(body, 'response') === undefined ? undefined : OLLAMA_TEXT;
  }
  return bedrockApi(body, event);
}

function isAnthropic(body: JsonObject): boolean {
  const has = (...names: readonly string[]): boolean => field(body, ...names) !== undefined;
  switch (stringField(body, 'type')) {
    case 'message':
      return stringField(body, 'role') === 'assistant' && Array.isArray(field(body, 'content'));
    case 'message_start':
      return has('message', 'role');
    case 'content_block_start':
      return has('index') && has('content_block', 'type');
    case 'content_block_delta':
      return has('index') && has('delta', 'type');
    case 'message_delta':
      return has('delta', 'stop_reason') && has('usage');
    default:
      return false;
  }
}

function bedrockApi(body: JsonObject, event: StreamEvent['event']): ResponseApi | undefined {
  const has = (...names: readonly string[]): boolean => field(body, ...names) !== undefined;
  switch (event) {
    case 'messageStart':
      return has('role') ? CONVERSE : undefined;
    case 'contentBlockStart':
    case 'contentBlockDelta':
      return has('contentBlockIndex') ? CONVERSE : undefined;
    case 'chunk': {
      const bytes = stringField(body, 'bytes');
      const inner =
        bytes === undefined ? undefined : asObject(parseJson(Buffer.from(bytes, 'base64').toString('utf8')));
      return inner !== undefined && responseApi(inner, undefined) !== undefined ? INVOKE : undefined;
    }
    case undefined:
      return has('output', 'message', 'content') && has('usage', 'inputTokens') ? CONVERSE : undefined;
    default:
      return undefined;
  }
}
