import type { Counters } from '../health/counters.ts';
import type { LlmRequest, LlmResponse } from '../model/llm-call.ts';
import type { Provider, ResponseReader } from '../providers/provider.ts';

const FAILED = 'the provider failed on it';
const NO_REQUEST: LlmRequest = {
  operation: 'chat',
  model: undefined,
  stream: false,
  system_instructions: [],
  messages: [],
  tools: [],
  attributes: {},
};
const NO_RESPONSE: LlmResponse = { finish_reasons: [], messages: [], tool_calls: [], usage: {}, attributes: {} };

export type Attempt = <Result>(action: () => Result, fallback: () => Result) => Result;

/** Runs what reads hostile input: what it throws is counted, and the fallback taken. */
export function createAttempt(counters: Counters): Attempt {
  return (action, fallback) => {
    try {
      return action();
    } catch {
      counters.lost('exchange.provider_failed');
      return fallback();
    }
  };
}

/** What is known of a call whose reader failed. */
export const FAILED_RESULT = { response: NO_RESPONSE, error: undefined, malformed: FAILED };

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
        return failed ? { ...result, malformed: result.malformed ?? FAILED } : result;
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
        () => ({ provider: provider.name, request: NO_REQUEST, malformed: FAILED }),
      ),
    createResponseReader: (request, head) =>
      attempt(
        () => guardedReader(provider.createResponseReader(request, head)),
        () => unread,
      ),
  };
}
