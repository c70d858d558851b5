import type { ExchangeListener, ResponseHead } from '../protocol/http-exchange.ts';
import { jsonItems } from '../providers/json-items.ts';
import { asObject, parseJson } from '../providers/json-value.ts';
import type { HttpRequestHead, Provider } from '../providers/provider.ts';
import { providerName } from '../providers/provider-name.ts';
import { type ResponseApi, responseApi } from '../providers/response-api.ts';
import type { Arrival } from './arrival.ts';
import { createCaptureGaps } from './capture-gaps.ts';
import { guarded } from './guarded-provider.ts';
import { createLlmExchange, type LlmExchangeOptions } from './llm-exchange.ts';
import { createResponseBody, EVENT_STREAM_BEGUN, type ResponseBody } from './response-body.ts';

export type OrphanExchangeOptions = Pick<
  LlmExchangeOptions,
  'start' | 'budget' | 'counters' | 'origin' | 'closeCause' | 'emit' | 'later'
>;

type Listener = ExchangeListener<Arrival>;

/** Of a body in one piece, and of a stream, until it shows what it is. */
const MAX_HELD_BYTES = 4 * 2 ** 20;
const MAX_HELD_STREAM_BYTES = 256 * 1024;
/** What a piece takes besides its bytes. */
const PIECE_BYTES = 128;
const MAX_LOOKED_AT_EVENTS = 64;
const ANSWER_TYPE = /^(?:application\/(?:[\w.+-]*json|vnd\.amazon\.eventstream)|text\/event-stream)\b/i;
const BLANK_LINE = /\r\n\r\n|\n\n|\r\r/;
const SNIFFED_BYTES = 16;
const NO_HEAD: HttpRequestHead = { method: 'POST', target: '', host: undefined, headers: new Map() };
/** Of a stream of events that was joined in its middle. Status 0: not known. */
const JOINED_HEAD: ResponseHead = {
  kind: 'response',
  status: 0,
  reason: '',
  headers: new Map([['content-type', 'text/event-stream']]),
  is_partial: true,
};

/**
 * Follows a response whose request was not seen, or only its body: what it says tells whether it is a model's answer. Of one
 * that is none, nothing is kept.
 */
export function createOrphanExchange(options: OrphanExchangeOptions): Listener {
  const { budget, counters } = options;
  let listener: Listener | undefined;
  /** What was told so far; undefined: it is known what the response is. */
  let held: ((to: Listener) => void)[] | undefined = [];
  let held_bytes = 0;
  let event_count = 0;
  /** The first of it that was seen. */
  let start: Arrival | undefined;
  let is_asked = false;
  /** It was joined in its body. */
  let is_headless = false;
  let looked_at: ResponseBody | undefined;

  const stopLooking = (): readonly ((to: Listener) => void)[] => {
    const steps = held ?? [];
    held = undefined;
    budget.buffered_bytes -= held_bytes;
    held_bytes = 0;
    looked_at?.end(0n, false);
    return steps;
  };
  /** What came so far were no events. */
  const lookAgain = (): void => {
    stopLooking();
    looked_at = undefined;
    held = [];
    start = undefined;
    is_headless = false;
  };
  const recognised = (api: ResponseApi): void => {
    const streamed = looked_at?.streamed === true;
    const steps = stopLooking();
    listener = createLlmExchange({
      ...options,
      provider: guarded(
        answering(api, streamed, () => options.origin()),
        counters,
      ),
      head: NO_HEAD,
      is_partial_head: true,
      start: start ?? options.start,
      emit(call) {
        const response_first_chunk_ns = is_asked ? call.response_first_chunk_ns : undefined;
        options.emit({ ...call, response_first_chunk_ns, http_status: call.http_status || undefined });
      },
    });
    if (!is_asked) listener.requestEnd(start ?? options.start, true);
    for (const step of steps) step(listener);
  };
  const look = (text: unknown, event: string | undefined): void => {
    const body = held === undefined ? undefined : asObject(text);
    const api = body === undefined ? undefined : responseApi(body, event);
    if (api !== undefined) recognised(api);
    else if (++event_count >= MAX_LOOKED_AT_EVENTS) stopLooking();
  };
  const tell = (step: (to: Listener) => void, bytes = 0): void => {
    if (listener !== undefined) step(listener);
    if (held === undefined) return;
    held.push(step);
    held_bytes += PIECE_BYTES + bytes;
    budget.buffered_bytes += PIECE_BYTES + bytes;
    const limit = looked_at?.streamed ? MAX_HELD_STREAM_BYTES : MAX_HELD_BYTES;
    if (held_bytes > limit || budget.buffered_bytes > budget.max_buffered_bytes) stopLooking();
  };
  const beginBody = (head: ResponseHead, at: Arrival): void => {
    if (!is_asked) start ??= { ...at, call_start_ns: at.ktime_ns };
    tell((to) => to.responseHead(head, at));
    looked_at ??= createResponseBody(
      head,
      {
        pushEvent: ({ event, data }) => look(parseJson(data), event),
        pushBody: (body) => look(jsonItems(body.toString('utf8')).items[0], undefined),
      },
      budget,
      createCaptureGaps(),
    );
  };
  const asked = (): void => {
    is_asked = true;
  };

  return {
    requestBody(data, at) {
      asked();
      tell((to) => to.requestBody(data, at), data.length);
    },
    requestGap: (bytes, at) => tell((to) => to.requestGap(bytes, at)),
    requestEnd(at, whole) {
      asked();
      tell((to) => to.requestEnd(at, whole));
    },
    responseHead(head, at) {
      const type = head.headers.get('content-type');
      if (head.status >= 300 || (type !== undefined && !ANSWER_TYPE.test(type))) stopLooking();
      else if (held !== undefined) beginBody(head, at);
    },
    responseBody(data, at) {
      let body = data;
      if (held !== undefined && looked_at === undefined) {
        const from = eventIn(data);
        if (from === undefined) return;
        body = data.subarray(from);
        is_headless = true;
        beginBody(JOINED_HEAD, at);
      }
      tell((to) => to.responseBody(body, at), body.length);
      if (held !== undefined) looked_at?.push(body, at.ktime_ns);
    },
    responseTrailers: (fields, at) => tell((to) => to.responseTrailers?.(fields, at)),
    responseGap(bytes, at) {
      if (looked_at === undefined && held !== undefined) return;
      if (is_headless && held !== undefined) {
        lookAgain();
        return;
      }
      tell((to) => to.responseGap(bytes, at));
      if (held !== undefined) looked_at?.gap(bytes);
    },
    responseMalformed: (at) => tell((to) => to.responseMalformed(at)),
    responseEnd(at, how, cause) {
      if (held !== undefined) looked_at?.end(at.ktime_ns, how === 'whole' || how === 'closed');
      if (held !== undefined) stopLooking();
      listener?.responseEnd(at, how, cause);
    },
  };
}

/** The provider as it is for a request of which at most the body is known. */
function answering(api: ResponseApi, streamed: boolean, origin: OrphanExchangeOptions['origin']): Provider {
  const { provider, protocol, operation } = api;
  return {
    name: provider.name,
    matches: () => true,
    createResponseReader: provider.createResponseReader,
    parseRequest(head, body) {
      const { server_address, server_port } = origin();
      const host = server_address === undefined ? undefined : `${server_address}:${server_port ?? ''}`;
      const known = { ...head, host };
      if (body.length > 0) return provider.parseRequest(known, body);
      const nothing = { system_instructions: [], messages: [], tools: [], attributes: {} };
      return {
        provider: protocol === 'ollama' || protocol === 'aws.bedrock' ? protocol : providerName(known, protocol),
        request: { operation, model: undefined, stream: streamed, ...nothing },
        malformed: undefined,
      };
    },
  };
}

/** Where an event begins in bytes from the middle of a stream. */
function eventIn(data: Uint8Array): number | undefined {
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1');
  if (EVENT_STREAM_BEGUN.test(text.slice(0, SNIFFED_BYTES))) return 0;
  const blank = BLANK_LINE.exec(text);
  return blank === null ? undefined : blank.index + blank[0].length;
}
