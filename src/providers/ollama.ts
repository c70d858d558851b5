import type { LlmRequest } from '../model/llm-call.ts';
import { asObject, type JsonObject, mayHaveOneOf, parseJson } from './json-value.ts';
import { createOllamaReader } from './ollama-reader.ts';
import { ollamaChatRequest, ollamaEmbeddingsRequest, ollamaGenerateRequest } from './ollama-request.ts';
import type { HttpRequestHead, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo, requestPath } from './request-target.ts';

/**
 * Its paths are common words: they must be asked for by a client of Ollama's, or of a server of that name, or of one of
 * one's own machines (a name without a domain, or an address).
 */
function isOllama(head: HttpRequestHead): boolean {
  const name = (head.host ?? '').replace(/:\d{1,5}$/, '');
  return (
    providerName(head, '') === 'ollama' ||
    /^ollama\b/i.test(head.headers.get('user-agent') ?? '') ||
    requestPath(head).includes('/ollama/') ||
    /^(?:[a-z0-9-]+|\d{1,3}(?:\.\d{1,3}){3}|\[.*)$/i.test(name)
  );
}

function ollamaApi(name: string, path: RegExp, read: (body: JsonObject) => LlmRequest): Provider {
  return {
    name,
    matches: (head) => isPostTo(head, path) && isOllama(head),
    confirms: (_head, body, part) => part !== 'whole' || mayHaveOneOf(body, ['model', 'messages', 'prompt', 'input']),
    parseRequest(_head, body) {
      const object = asObject(parseJson(body.toString('utf8')));
      return {
        provider: 'ollama',
        request: read(object ?? {}),
        malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
      };
    },
    createResponseReader: (_request, head) => createOllamaReader(head),
  };
}

/** Ollama's own API; it also speaks that of OpenAI. */
export const ollamaChat = ollamaApi('ollama_chat', /\/api\/chat$/, ollamaChatRequest);
export const ollamaGenerate = ollamaApi('ollama_generate', /\/api\/generate$/, ollamaGenerateRequest);
export const ollamaEmbeddings = ollamaApi('ollama_embeddings', /\/api\/embed(?:dings)?$/, ollamaEmbeddingsRequest);
