import type { LlmRequest } from '../model/llm-call.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { converseRequest } from './converse-request.ts';
import { geminiRequest } from './gemini-request.ts';
import { topLevelNames } from './json-names.ts';
import { asObject, asObjects, field, type JsonObject, parseJson } from './json-value.ts';
import { beginsAsLlmShape, type LlmShape, llmShape, mayBecomeLlmShape, modelOf } from './llm-shape.ts';
import { chatRequest, embeddingsRequest } from './openai-chat-request.ts';
import { responsesRequest } from './openai-responses-request.ts';
import { promptRequest } from './prompt-request.ts';
import type { HttpRequestHead, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo, requestPath } from './request-target.ts';
import { createShapeReader } from './shape-reader.ts';

const OTHER_KINDS =
  'batch(?:es)?|files|fine[_-]?tun\\w*|images?|audio|videos?|speech|transcriptions?|moderations?|rerank|feedback|evals?|history|share|sync|track|telemetry|metrics|logs?|traces|spans|events?|event_logging|analytics|ingestion|rgstr';
/** What takes the same bodies and asks no model to write: by the last name of the path. */
const NO_CALLS = new RegExp(
  `[/:](?:count[_-]?tokens?|token[_-]?count|(?:de)?tokenizer?|input_tokens|images/(?:generations|edits)|${OTHER_KINDS})/?$`,
  'i',
);
/** By the last name but one: there only messages, to a model that is named, are sure to be a call. */
const RARELY_CALLS = new RegExp(`/(?:${OTHER_KINDS})/[^/]+/?$`, 'i');
/** Where a prompt goes that names no model. */
const WRITERS = /generat|complet|infer|invo(?:ke|cation)|predict|chat|convers|llm|\bai\b|models?\//i;
/** gen_ai.provider.name where nothing names one (GenAI semantic conventions: a value of one's own, or `_OTHER`). */
const UNKNOWN = '_OTHER';

/** Any other API whose requests look like those to a model: the body tells. */
export const anyApi: Provider = {
  name: 'any',
  matches: (head) =>
    isPostTo(head, /^/) &&
    /\bjson\b/.test(head.headers.get('content-type')?.toLowerCase() ?? '') &&
    !NO_CALLS.test(requestPath(head)),
  confirms(head, body, part) {
    const text = body.toString('utf8');
    const is_rare = RARELY_CALLS.test(requestPath(head));
    if (part === 'beginning') return mayBecomeLlmShape(topLevelNames(text) ?? []);
    if (part === 'outgrown') return !is_rare && beginsAsLlmShape(text, topLevelNames(text) ?? []);
    const object = part === 'cut' ? undefined : asObject(parseJson(text));
    const shape = object && shapeOf(object, head);
    return is_rare ? shape === 'messages' && modelOf(object) !== undefined : shape !== undefined;
  },
  parseRequest(head, body) {
    const provider = providerName(head, UNKNOWN);
    const object = asObject(parseJson(body.toString('utf8')));
    return {
      provider,
      request: requestOf(object ?? {}, provider, head),
      malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
    };
  },
  createResponseReader: createShapeReader,
};

function shapeOf(body: JsonObject, head: HttpRequestHead): LlmShape | undefined {
  return llmShape(body, WRITERS.test(requestPath(head)));
}

function requestOf(body: JsonObject, provider: string, head: HttpRequestHead): LlmRequest {
  const model = modelOf(body) ?? modelIn(requestPath(head));
  const stream = field(body, 'stream') === true;
  switch (shapeOf(body, head)) {
    case 'contents':
      return geminiRequest(body, model, /stream/i.test(requestPath(head)));
    case 'items':
      return responsesRequest(body, provider, model);
    case 'embeddings':
      return embeddingsRequest(body, provider, model);
    case 'prompt':
      return promptRequest(body, model, stream);
    default:
      return messagesRequest(body, provider, model, stream);
  }
}

function messagesRequest(body: JsonObject, provider: string, model: string | undefined, stream: boolean): LlmRequest {
  const messages = field(body, 'messages') ?? field(body, 'prompt');
  const [tool] = asObjects(field(body, 'tools'));
  const is_anthropic =
    field(body, 'anthropic_version') !== undefined ||
    field(body, 'system') !== undefined ||
    field(tool, 'input_schema') !== undefined;
  if (field(body, 'inferenceConfig') !== undefined || field(body, 'toolConfig') !== undefined) {
    return converseRequest(body, model, stream);
  }
  if (is_anthropic) return { ...anthropicRequest(body), model };
  return chatRequest({ ...body, messages }, provider, model);
}

/** Cloudflare and others name the model in the path. */
function modelIn(path: string): string | undefined {
  return /\/models?\/([^/:]{1,256})/.exec(path)?.[1] ?? /\/(@[a-z]{2}\/[^/]{1,128}\/[^/]{1,128})$/.exec(path)?.[1];
}
