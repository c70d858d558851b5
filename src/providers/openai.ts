import type { LlmRequest } from '../model/llm-call.ts';
import { asObject, field, type JsonObject, mayHaveOneOf, parseJson, stringField } from './json-value.ts';
import { createChatReader } from './openai-chat-reader.ts';
import { chatRequest, completionRequest, embeddingsRequest } from './openai-chat-request.ts';
import { createResponsesReader } from './openai-responses-reader.ts';
import { responsesRequest } from './openai-responses-request.ts';
import type { HttpRequestHead, ParsedRequest, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo, requestPath } from './request-target.ts';

/** Where the path is a common word: what the body has to have. */
type Needs = readonly string[];
type ReadRequest = (body: JsonObject, provider: string, model: string | undefined) => LlmRequest;

/** Azure names the deployment in the path, and old clients nowhere else. */
function deployment(head: HttpRequestHead): string | undefined {
  return /\/deployments\/([^/]{1,256})\//.exec(requestPath(head))?.[1];
}

function parse(head: HttpRequestHead, body: Buffer, read: ReadRequest): ParsedRequest {
  const provider = providerName(head, 'openai');
  const object = asObject(parseJson(body.toString('utf8')));
  return {
    provider,
    request: read(object ?? {}, provider, stringField(object, 'model') ?? deployment(head)),
    malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
  };
}

function openAiApi(
  name: string,
  path: RegExp,
  read: ReadRequest,
  createResponseReader: Provider['createResponseReader'],
  needs: Needs = [],
): Provider {
  return {
    name,
    matches: (head) => isPostTo(head, path),
    ...(needs.length > 0 && { confirms: (_head, body, part) => part !== 'whole' || mayHaveOneOf(body, needs) }),
    parseRequest: (head, body) => parse(head, body, read),
    createResponseReader,
  };
}

/** OpenAI's Chat Completions API, and the many hosts that speak it. */
export const openAiChat = openAiApi('openai_chat', /\/chat\/completions$/, chatRequest, createChatReader);

/** The older completions API: continue a prompt. Mistral's agents take messages there. */
export const openAiCompletions = openAiApi(
  'openai_completions',
  /(?<!\/chat)\/completions$/,
  (body, provider, model) =>
    Array.isArray(field(body, 'messages'))
      ? chatRequest(body, provider, model)
      : completionRequest(body, provider, model),
  createChatReader,
  ['prompt', 'messages'],
);

export const openAiEmbeddings = openAiApi('openai_embeddings', /\/embeddings$/, embeddingsRequest, createChatReader, [
  'input',
]);

/** OpenAI's Responses API. Its path is a common word, so it must stand where APIs stand. */
export const openAiResponses = openAiApi(
  'openai_responses',
  /^(?:.*\/(?:v\d{1,2}|openai|codex|deployments\/[^/]+))?\/responses$/,
  responsesRequest,
  createResponsesReader,
  ['input', 'model', 'prompt', 'previous_response_id'],
);
