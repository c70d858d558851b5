import { asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { createOpenCalls, type OpenCall } from './open-calls.ts';
import { createResponsesReader, type ResponsesReader } from './openai-responses-reader.ts';
import { responsesRequest } from './openai-responses-request.ts';
import type { HttpRequestHead } from './provider.ts';
import { providerName } from './provider-name.ts';
import { requestPath } from './request-target.ts';
import type { WebSocketApi, WebSocketSession } from './websocket-api.ts';

const SWITCHED = { status: 101, headers: new Map<string, string>() };

/**
 * Requests are answered one after the other, in the order in which they were sent. The events are those of a stream of the
 * Responses API, `response` being in the first and the last.
 */
function createSession(head: HttpRequestHead): WebSocketSession {
  const provider = providerName(head, 'openai');
  const open = createOpenCalls<ResponsesReader>(head, provider);
  let last_id: string | undefined;

  /** `message` undefined: the request was not seen. */
  const begin = (message: JsonObject | undefined): OpenCall<ResponsesReader> => {
    const body = message ?? {};
    const request = {
      ...responsesRequest(body, provider, stringField(body, 'model')),
      stream: true,
      ...(field(body, 'generate') === false && { is_warm_up: true }),
    };
    return open.begin(request, createResponsesReader(request, SWITCHED), message === undefined);
  };
  /** The call that an event of the server belongs to. */
  const callOf = (event: JsonObject): OpenCall<ResponsesReader> | undefined => {
    const id = stringField(event, 'response', 'id');
    const [current] = open.list;
    if (current?.reader.id !== undefined && id !== undefined && id !== current.reader.id) current.end('lost');
    const [next] = open.list;
    return next ?? (id === undefined || id === last_id ? undefined : begin(undefined));
  };
  return {
    sent(text) {
      const message = asObject(parseJson(text));
      if (message === undefined || stringField(message, 'type') !== 'response.create') return undefined;
      open.loseDamaged();
      return begin(message);
    },
    received(text, ktime_ns) {
      const event = asObject(parseJson(text));
      const type = stringField(event, 'type');
      if (event === undefined || type === undefined) return undefined;
      const call = callOf(event);
      if (call === undefined) return undefined;
      call.reader.addEvent(event, type, ktime_ns);
      if (call.reader.complete) {
        call.end('complete');
        last_id = call.reader.id;
      }
      return call;
    },
    damaged: open.damaged,
  };
}

/**
 * OpenAI's Responses API over a WebSocket: each `response.create` is a request, with the body of POST /responses beside its
 * `type`; `generate: false` only warms up.
 */
export const responsesWebSocket: WebSocketApi = {
  name: 'openai_responses_websocket',
  matches: (head) => /\/responses$/.test(requestPath(head)),
  recognises: (text) => stringField(parseJson(text), 'type') === 'response.create',
  understands: (text) => /^(?:response\.|error$)/.test(stringField(parseJson(text), 'type') ?? ''),
  createSession,
};
