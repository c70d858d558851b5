import { createAnthropicReader } from './anthropic-reader.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { asObject, parseJson } from './json-value.ts';
import type { Provider } from './provider.ts';
import { providerName } from './provider-name.ts';
import { isPostTo } from './request-target.ts';

/** Anthropic's Messages API, and the hosts that speak it. Counting tokens and batches are no calls to a model. */
export const anthropicMessages: Provider = {
  name: 'anthropic_messages',
  matches: (head) => isPostTo(head, head.headers.has('anthropic-version') ? /\/messages$/ : /\/v1\/messages$/),
  parseRequest(head, body) {
    const object = asObject(parseJson(body.toString('utf8')));
    return {
      provider: providerName(head, 'anthropic'),
      request: anthropicRequest(object ?? {}),
      malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
    };
  },
  createResponseReader: (_request, head) => createAnthropicReader(head),
};
