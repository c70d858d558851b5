import type { Counters } from '../health/counters.ts';
import type { LlmRequest } from '../model/llm-call.ts';
import type { Provider, ResponseReader } from '../providers/provider.ts';
import { createAttempt, FAILED_RESULT } from './attempt.ts';

const NO_REQUEST: LlmRequest = {
  operation: 'chat',
  model: undefined,
  stream: false,
  system_instructions: [],
  messages: [],
  tools: [],
  attributes: {},
};

/** The same provider, but what it throws is counted, and becomes a malformed value: its input is hostile. */
export function guarded(provider: Provider, counters: Counters): Provider {
  const attempt = createAttempt(counters);
  const guardedReader = (reader: ResponseReader): ResponseReader => {
    let failed = false;
    const fail = (): void => {
      failed = true;
    };
    return {
      pushEvent: (event, ktime_ns) => attempt(() => reader.pushEvent(event, ktime_ns), fail),
      pushBody: (body, ktime_ns) => attempt(() => reader.pushBody(body, ktime_ns), fail),
      get complete() {
        return reader.complete;
      },
      result() {
        const result = attempt(
          () => reader.result(),
          () => FAILED_RESULT,
        );
        return failed ? { ...result, malformed: result.malformed ?? FAILED_RESULT.malformed } : result;
      },
    };
  };
  const unread: ResponseReader = {
    pushEvent() {},
    pushBody() {},
    complete: false,
    result: () => FAILED_RESULT,
  };
  const { confirms } = provider;
  return {
    name: provider.name,
    matches: (head) =>
      attempt(
        () => provider.matches(head),
        () => false,
      ),
    ...(confirms && {
      confirms: (head, body, part) =>
        attempt(
          () => confirms(head, body, part),
          () => false,
        ),
    }),
    parseRequest: (head, body) =>
      attempt(
        () => provider.parseRequest(head, body),
        () => ({ provider: provider.name, request: NO_REQUEST, malformed: FAILED_RESULT.malformed }),
      ),
    createResponseReader: (request, head) =>
      attempt(
        () => guardedReader(provider.createResponseReader(request, head)),
        () => unread,
      ),
  };
}
