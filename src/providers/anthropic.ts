import type { LlmRequest } from '../model/llm-call.ts';
import { createAnthropicReader } from './anthropic-reader.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { asObject, mayHaveOneOf, parseJson } from './json-value.ts';
import type { HttpRequestHead, Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo, requestPath } from './request-target.ts';

function anthropicApi(
  name: string,
  protocol: string,
  matches: Provider['matches'],
  inPath: (head: HttpRequestHead) => Partial<LlmRequest>,
): Provider {
  return {
    name,
    matches,
    parseRequest(head, body) {
      const object = asObject(parseJson(body.toString('utf8')));
      return {
        provider: providerName(head, protocol),
        request: { ...anthropicRequest(object ?? {}), ...inPath(head) },
        malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
      };
    },
    createResponseReader: (_request, head) => createAnthropicReader(head),
  };
}

/** Anthropic's Messages API, and the hosts that speak it. Counting tokens and batches are no calls to a model. */
export const anthropicMessages: Provider = {
  ...anthropicApi(
    'anthropic_messages',
    'anthropic',
    (head) => isPostTo(head, head.headers.has('anthropic-version') ? /\/messages$/ : /\/v1\/messages$/),
    () => ({}),
  ),
  // Others send mail and chat by that path.
  confirms: (head, body, part) =>
    part !== 'whole' || head.headers.has('anthropic-version') || mayHaveOneOf(body, ['messages']),
};

const VERTEX = /\/publishers\/anthropic\/models\/(?!count-tokens:)([^/:]{1,256}):(r|streamR)awPredict$/;

/** The same on Vertex AI, where the path names the model. */
export const anthropicOnVertex = anthropicApi(
  'anthropic_vertex',
  'gcp.vertex_ai',
  (head) => isPostTo(head, VERTEX),
  (head) => {
    const [, model, method] = VERTEX.exec(requestPath(head)) ?? [];
    return { model, stream: method === 'streamR' };
  },
);
