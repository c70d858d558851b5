import type { LlmRequest } from '../model/llm-call.ts';
import { asObject, asObjects, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { createOpenCalls, type OpenCall } from './open-calls.ts';
import { realtimeEvent, realtimeItem } from './openai-realtime-event.ts';
import { createResponsesReader, type ResponsesReader } from './openai-responses-reader.ts';
import { responsesRequest } from './openai-responses-request.ts';
import type { HttpRequestHead } from './provider.ts';
import { providerName } from './provider-name.ts';
import { requestPath } from './request-target.ts';
import type { WebSocketApi, WebSocketSession } from './websocket-api.ts';

const SWITCHED = { status: 101, headers: new Map<string, string>() };
/** Of what was added since the last request. */
const MAX_ITEMS = 4096;
const MAX_ITEM_CHARS = 2 ** 26;
/** What is kept of a session. */
const SETTINGS = new Set([
  'model',
  'instructions',
  'tools',
  'temperature',
  'output_modalities',
  'modalities',
  'max_output_tokens',
  'max_response_output_tokens',
]);

/** What the session says holds for every response that does not say otherwise. */
function requestOf(session: JsonObject, own: JsonObject, items: readonly JsonObject[], provider: string): LlmRequest {
  const body = { ...session, ...own };
  const input = asObjects(field(own, 'input')).map(realtimeItem);
  const limit = field(body, 'max_output_tokens') ?? field(body, 'max_response_output_tokens');
  const modalities = field(body, 'output_modalities') ?? field(body, 'modalities');
  return {
    ...responsesRequest(
      {
        ...body,
        input: input.length > 0 ? input : items,
        max_output_tokens: limit,
        modalities,
        conversation: undefined,
      },
      provider,
      stringField(body, 'model'),
    ),
    stream: true,
  };
}

/**
 * The server keeps the conversation: a request says what was added to it since the last one. Responses name their id in
 * every event; those that the server begins itself, when a user has spoken, have no `response.create`.
 */
function createSession(head: HttpRequestHead): WebSocketSession {
  const provider = providerName(head, 'openai');
  const model = /[?&](?:model|deployment)=([^&#]{1,256})/.exec(head.target)?.[1];
  let session: JsonObject = model === undefined ? {} : { model };
  let items: JsonObject[] = [];
  let item_chars = 0;
  let conversation_id: string | undefined;
  /** In the order in which they were asked for. */
  const open = createOpenCalls<ResponsesReader>(head, provider);

  const begin = (own: JsonObject): OpenCall<ResponsesReader> => {
    const request = requestOf(session, own, items, provider);
    items = [];
    item_chars = 0;
    const asked = conversation_id === undefined ? request : { ...request, conversation_id };
    return open.begin(asked, createResponsesReader(asked, SWITCHED));
  };
  const addItem = (item: JsonObject, chars: number): void => {
    item_chars += chars;
    if (items.length < MAX_ITEMS && item_chars <= MAX_ITEM_CHARS) items.push(realtimeItem(item));
  };
  const learn = (update: unknown): void => {
    const known = Object.entries(asObject(update) ?? {}).filter(
      ([name, value]) => SETTINGS.has(name) && value !== null && value !== '',
    );
    session = { ...session, ...Object.fromEntries(known) };
  };
  const callOf = (event: JsonObject, type: string): OpenCall<ResponsesReader> | undefined => {
    const id = stringField(event, 'response_id') ?? stringField(event, 'response', 'id');
    const unanswered = open.list.find(({ reader }) => reader.id === undefined);
    if (type === 'error') return unanswered;
    if (id === undefined) return undefined;
    const known = open.list.find(({ reader }) => reader.id === id);
    if (known !== undefined || type !== 'response.created') return known ?? unanswered;
    return unanswered ?? begin({});
  };
  return {
    sent(text) {
      const message = asObject(parseJson(text));
      const item = asObject(field(message, 'item'));
      switch (stringField(message, 'type')) {
        case 'session.update':
          learn(field(message, 'session'));
          return undefined;
        case 'conversation.item.create':
          if (item !== undefined) addItem(item, text.length);
          return undefined;
        case 'response.create':
          open.loseDamaged();
          return begin(asObject(field(message, 'response')) ?? {});
        default:
          return undefined;
      }
    },
    received(text, ktime_ns) {
      const event = asObject(parseJson(text));
      const type = stringField(event, 'type');
      if (event === undefined || type === undefined) return undefined;
      if (type === 'session.created' || type === 'session.updated') learn(field(event, 'session'));
      if (type === 'conversation.created') conversation_id = stringField(event, 'conversation', 'id');
      if (type === 'conversation.item.input_audio_transcription.completed') {
        addItem(
          { role: 'user', content: [{ type: 'input_audio', transcript: field(event, 'transcript') }] },
          text.length,
        );
      }
      const call = callOf(event, type);
      if (call === undefined) return undefined;
      const read = realtimeEvent(event, type);
      call.reader.addEvent(read.event, read.type, ktime_ns);
      conversation_id = stringField(event, 'response', 'conversation_id') ?? conversation_id;
      if (call.reader.complete) call.end('complete');
      return call;
    },
    damaged: open.damaged,
  };
}

/** How the types of its events begin. */
const EVENTS =
  /^(?:session|transcription_session|conversation|response|input_audio_buffer|output_audio_buffer|rate_limits|mcp_list_tools|error)(?:\.|$)/;

/**
 * OpenAI's Realtime API over a WebSocket, as far as it is text: what is spoken is known by its transcripts. Each response is
 * a call.
 */
export const realtimeWebSocket: WebSocketApi = {
  name: 'openai_realtime',
  matches: (head) => /\/realtime$/.test(requestPath(head)),
  recognises: (text) =>
    /^(?:session\.update|conversation\.item\.create)$/.test(stringField(parseJson(text), 'type') ?? ''),
  understands: (text) => EVENTS.test(stringField(parseJson(text), 'type') ?? ''),
  createSession,
};
