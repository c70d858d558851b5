import { asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { createResponsesReader, type ResponsesReader } from './openai-responses-reader.ts';
import { responsesRequest } from './openai-responses-request.ts';
import type { HttpRequestHead, ParsedRequest } from './provider.ts';
import { providerName } from './provider-name.ts';
import { requestPath } from './request-target.ts';
import { inHeadSession } from './session-id.ts';
import { MAX_OPEN_CALLS, type WebSocketApi, type WebSocketCall, type WebSocketSession } from './websocket-api.ts';

const SWITCHED = { status: 101, headers: new Map<string, string>() };

interface ResponsesCall extends WebSocketCall {
  readonly reader: ResponsesReader;
  lose(): void;
}

/** `message` undefined: the request was not seen. */
function createCall(head: HttpRequestHead, message: JsonObject | undefined): ResponsesCall {
  const provider = providerName(head, 'openai');
  const body = message ?? {};
  const request = {
    ...responsesRequest(body, provider, stringField(body, 'model')),
    stream: true,
    ...(field(body, 'generate') === false && { is_warm_up: true }),
  };
  const parsed: ParsedRequest = { provider, request, malformed: undefined };
  const reader = createResponsesReader(request, SWITCHED);
  let is_lost = false;
  return {
    ...inHeadSession(parsed, head),
    reader,
    request_lost: message === undefined,
    get state() {
      if (reader.complete) return 'complete';
      return is_lost ? 'lost' : 'open';
    },
    lose() {
      is_lost = true;
    },
    result: () => reader.result(),
  };
}

/**
 * Requests are answered one after the other, in the order in which they were sent. The events are those of a stream of the
 * Responses API, `response` being in the first and the last.
 */
function createSession(head: HttpRequestHead): WebSocketSession {
  const open: ResponsesCall[] = [];
  let is_damaged = false;
  let last_id: string | undefined;

  const begin = (message: JsonObject | undefined): ResponsesCall => {
    const call = createCall(head, message);
    open.push(call);
    if (open.length > MAX_OPEN_CALLS) open.shift()?.lose();
    return call;
  };
  /** The call that an event of the server belongs to. */
  const callOf = (event: JsonObject): ResponsesCall | undefined => {
    const id = stringField(event, 'response', 'id');
    const [current] = open;
    if (current?.reader.id !== undefined && id !== undefined && id !== current.reader.id) {
      current.lose();
      open.shift();
    }
    const [next] = open;
    return next ?? (id === undefined || id === last_id ? undefined : begin(undefined));
  };
  return {
    sent(text) {
      const message = asObject(parseJson(text));
      if (message === undefined || stringField(message, 'type') !== 'response.create') return undefined;
      // The end of the one before may have been among what was not read: a client waits for it.
      if (is_damaged) for (const call of open.splice(0)) call.lose();
      is_damaged = false;
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
        open.splice(open.indexOf(call), 1);
        last_id = call.reader.id;
      }
      return call;
    },
    damaged(side) {
      if (side === 'received') is_damaged = true;
    },
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
  createSession,
};
