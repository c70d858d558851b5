import { createGeminiReader } from './gemini-reader.ts';
import { geminiEmbeddingsRequest, geminiRequest } from './gemini-request.ts';
import { asObject, field, parseJson, stringField } from './json-value.ts';
import type { HttpRequestHead, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo, requestPath } from './request-target.ts';

/** A call to a model, or to what stands for one, by its method; Cloud Code names the model in the body. */
const GENERATE = /\/([^/:]{1,256}):(generateContent|streamGenerateContent)$/;
const EMBED = /\/([^/:]{1,256}):(?:embedContent|batchEmbedContents)$/;
const CLOUD_CODE = 'v1internal';

/** Where the host does not tell: Vertex AI's paths begin with a project, or with the publisher of the model. */
export function geminiProviderName(head: HttpRequestHead): string {
  const path = requestPath(head);
  const is_vertex = /\/(?:projects\/[^/]+\/locations|publishers)\//.test(path);
  const name = path.includes(`/${CLOUD_CODE}:`) ? 'gcp.gen_ai' : is_vertex ? 'gcp.vertex_ai' : 'gcp.gemini';
  return providerName(head, name);
}

/** Google's generateContent, of the Gemini API, Vertex AI and Cloud Code. Counting tokens is no call to a model. */
export const geminiGenerate: Provider = {
  name: 'gemini',
  matches: (head) => isPostTo(head, GENERATE),
  parseRequest(head, body) {
    const [, resource, method] = GENERATE.exec(requestPath(head)) ?? [];
    const object = asObject(parseJson(body.toString('utf8')));
    const wrapped = resource === CLOUD_CODE ? asObject(field(object, 'request')) : undefined;
    const model = resource === CLOUD_CODE ? stringField(object, 'model') : resource;
    const session = stringField(wrapped, 'session_id');
    const request = geminiRequest(wrapped ?? object ?? {}, model, method === 'streamGenerateContent');
    return {
      provider: geminiProviderName(head),
      request: session ? { ...request, conversation_id: session, conversation_is_session: true } : request,
      malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
    };
  },
  createResponseReader: (_request, head) => createGeminiReader(head),
};

export const geminiEmbeddings: Provider = {
  name: 'gemini_embeddings',
  matches: (head) => isPostTo(head, EMBED),
  parseRequest(head, body) {
    const object = asObject(parseJson(body.toString('utf8')));
    return {
      provider: geminiProviderName(head),
      request: geminiEmbeddingsRequest(object ?? {}, EMBED.exec(requestPath(head))?.[1]),
      malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
    };
  },
  createResponseReader: (_request, head) => createGeminiReader(head),
};
