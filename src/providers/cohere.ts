import type { LlmRequest } from '../model/llm-call.ts';
import { createCohereReader } from './cohere-reader.ts';
import { asNumber, asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { chatRequest } from './openai-chat-request.ts';
import { promptRequest } from './prompt-request.ts';
import type { HttpRequestHead, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo } from './request-target.ts';
import { createShapeReader } from './shape-reader.ts';

const NAME = 'cohere';

function cohereApi(
  name: string,
  path: RegExp,
  read: (body: JsonObject, model: string | undefined) => LlmRequest,
  createResponseReader: Provider['createResponseReader'],
): Provider {
  return {
    name,
    matches: (head) => isPostTo(head, path) && isCohere(head),
    parseRequest(_head, body) {
      const object = asObject(parseJson(body.toString('utf8')));
      return {
        provider: NAME,
        request: read(object ?? {}, stringField(object, 'model')),
        malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
      };
    },
    createResponseReader,
  };
}

/** Its paths are common words: they must be on its host, or behind its name at a gateway. */
function isCohere(head: HttpRequestHead): boolean {
  return providerName(head, '') === NAME;
}

/** Cohere's Chat API, v2: messages as OpenAI has them, parameters under names of its own. */
export const cohereChat = cohereApi(
  'cohere_chat',
  /\/v2\/chat$/,
  (body, model) => {
    const stop = field(body, 'stop_sequences');
    return {
      ...chatRequest({ ...body, ...(stop === undefined ? {} : { stop }) }, NAME, model),
      top_p: asNumber(field(body, 'p')),
      top_k: asNumber(field(body, 'k')),
    };
  },
  (_request, head) => createCohereReader(head),
);

/** The older Chat and Generate APIs, and Embed: a text, or several. */
export const coherePrompt = cohereApi(
  'cohere_prompt',
  /\/(?:v1\/(?:chat|generate|embed)|v2\/embed)$/,
  (body, model) => promptRequest(body, model, false),
  createShapeReader,
);
