import type { Counters } from '../health/counters.ts';
import type { CallError, LlmCall } from '../model/llm-call.ts';
import { decodeContent } from '../protocol/content-coding.ts';
import { grpcError } from '../protocol/grpc.ts';
import type { ExchangeListener, ResponseEnd, ResponseHead } from '../protocol/http-exchange.ts';
import { bodyCodings } from '../protocol/http1-head.ts';
import type { HttpRequestHead, ParsedRequest, Provider, ResponseReader } from '../providers/provider.ts';
import { namesSeller } from '../providers/provider-name.ts';
import type { Arrival } from './arrival.ts';
import { type BodyBudget, createBodyCollector } from './body-collector.ts';
import { countCall, createCaptureGaps } from './capture-gaps.ts';
import { grpcRequest, isGrpc } from './grpc-content.ts';
import { createResponseBody, type ResponseBody } from './response-body.ts';
import { createUnsureExchange } from './unsure-exchange.ts';

/** The fields of a call that its connection knows. */
export type CallOrigin = Pick<
  LlmCall,
  'call_id' | 'process' | 'pid' | 'tid' | 'socket_id' | 'server_address' | 'server_port'
>;

export interface LlmExchangeOptions {
  readonly provider: Provider;
  readonly head: HttpRequestHead;
  readonly is_partial_head: boolean;
  readonly start: Arrival;
  readonly budget: BodyBudget;
  readonly counters: Counters;
  /** Asked anew for each phase: the socket may become known in between. */
  origin(): CallOrigin;
  /** What ended the connection, in words; undefined: we only stopped following it. */
  closeCause(): string | undefined;
  emit(call: LlmCall): void;
  /** Calls back a little later. */
  later(callback: () => void): void;
  /** Who hears of the exchange if its request's body shows that it is no call. */
  otherwise?(): ExchangeListener<Arrival> | undefined;
}

/** Follows one exchange with a model, if it is one: tells it when its request is complete, and when it ended. */
export function createLlmExchange(options: LlmExchangeOptions): ExchangeListener<Arrival> {
  const { confirms } = options.provider;
  const begin = () => followCall(options);
  return confirms === undefined ? begin() : createUnsureExchange({ ...options, confirms, begin });
}

/** What was asked, in plain. */
function requestContent({ headers }: HttpRequestHead, body: Buffer, max_bytes: number) {
  const decoded = decodeContent(body, bodyCodings(headers), max_bytes);
  const is_grpc = decoded.problem === undefined && isGrpc(headers.get('content-type'));
  return is_grpc ? grpcRequest(decoded.data, headers, max_bytes) : decoded;
}

function followCall(options: LlmExchangeOptions): ExchangeListener<Arrival> {
  const { provider, head, start, budget, counters, emit } = options;
  const gaps = createCaptureGaps();
  const request_body = createBodyCollector(budget);
  let request_bytes = 0;
  let request_end_ns = start.ktime_ns;
  let request_too_large = false;
  let parsed: ParsedRequest | undefined;
  let response_head: ResponseHead | undefined;
  let reader: ResponseReader | undefined;
  let response_body: ResponseBody | undefined;
  let response_bytes = 0;
  let first_chunk_ns: bigint | undefined;
  let last_ns = start.ktime_ns;
  let response_lost = false;
  let ended = false;
  let is_waiting = false;
  if (options.is_partial_head) gaps.add('joined_midstream', 0, 'request head');

  const call = (phase: LlmCall['phase'], request: ParsedRequest, end_ns: bigint): LlmCall => ({
    kind: 'llm_call',
    phase,
    ...options.origin(),
    provider: request.provider,
    is_seller_unknown: !namesSeller(head),
    traceparent: head.headers.get('traceparent'),
    tracestate: head.headers.get('tracestate'),
    user_agent: head.headers.get('user-agent'),
    request: request.request,
    request_start_ns: start.call_start_ns,
    request_end_ns,
    request_bytes,
    response: undefined,
    response_first_chunk_ns: first_chunk_ns,
    end_ns,
    response_bytes,
    http_status: response_head?.status,
    error: undefined,
    gaps: gaps.list(),
  });

  /** The request as far as it came, told once. */
  const announce = (whole: boolean): ParsedRequest => {
    if (parsed !== undefined) return parsed;
    if (!whole) gaps.add('cut', 0, 'request');
    const { data, problem } = requestContent(head, request_body.joined(), budget.max_body_bytes);
    if (problem !== undefined) gaps.add(problem, request_bytes, 'request');
    parsed = provider.parseRequest(head, data);
    request_body.release();
    if (parsed.malformed !== undefined) gaps.add('malformed', 0, `request: ${parsed.malformed}`);
    emit(call('request', parsed, request_end_ns));
    return parsed;
  };

  const errorOf = (how: ResponseEnd, told_cause: string | undefined): CallError | undefined => {
    const told = reader?.result().error;
    if (told !== undefined) return told;
    if (response_head !== undefined && response_head.status >= 400) {
      return { type: String(response_head.status), message: response_head.reason };
    }
    const is_over = how === 'whole' || (how === 'closed' && !response_body?.streamed);
    if (reader?.complete || is_over) return undefined;
    if (response_lost && (how === 'lost' || response_head === undefined)) return undefined;
    const cause = how === 'lost' ? 'another message began on the connection' : (told_cause ?? options.closeCause());
    if (cause === undefined) return undefined;
    return { type: response_head === undefined ? 'no_response' : 'cut', message: cause };
  };

  const finish = (at: Arrival, how: ResponseEnd, cause?: string): void => {
    if (ended) return;
    ended = true;
    const { request, provider: name } = announce(false);
    response_body?.end(at.ktime_ns, how === 'whole' || how === 'closed');
    const result = reader?.result();
    const is_half = how === 'cut' && !response_body?.streamed && !reader?.complete;
    // Half a body is not malformed.
    if (result?.malformed !== undefined && !is_half) gaps.add('malformed', 0, `response: ${result.malformed}`);
    const error = errorOf(how, cause);
    const is_unanswered = error?.type === 'no_response';
    const is_cut = error === undefined ? how === 'cut' && !reader?.complete : error.type === 'cut';
    if (is_cut) gaps.add('cut', 0, 'response');
    countCall(counters, error, gaps.list());
    const end_ns = (is_cut || is_unanswered) && how !== 'lost' ? at.ktime_ns : last_ns;
    emit({
      ...call('end', { provider: name, request, malformed: undefined }, end_ns),
      response: result?.response,
      error,
      gaps: gaps.list(),
    });
  };

  /** A stream that pauses may have told its end already. */
  const catchUp = (at: Arrival): void => {
    is_waiting = false;
    if (ended || response_body === undefined) return;
    if (at.ktime_ns === last_ns) response_body.catchUp();
    if (reader?.complete) finish(at, 'whole');
  };
  const catchUpLater = (at: Arrival): void => {
    if (is_waiting || response_body?.is_behind !== true) return;
    is_waiting = true;
    options.later(() => {
      catchUp(at);
      catchUpLater({ ...at, ktime_ns: last_ns });
    });
  };

  /** gRPC says how it went in trailers, or in a head without a body. */
  const tellFailure = (fields: ReadonlyMap<string, string>, at: Arrival): void => {
    const failure = grpcError(fields);
    if (ended || failure === undefined) return;
    const data = JSON.stringify({ message: failure.message });
    reader?.pushEvent({ event: undefined, data, error_type: failure.type }, at.ktime_ns);
  };

  return {
    requestBody(data, at) {
      request_bytes += data.length;
      request_end_ns = at.ktime_ns;
      last_ns = at.ktime_ns;
      if (ended || parsed !== undefined || request_too_large || request_body.add(data)) return;
      request_too_large = true;
      gaps.add('too_large', 0, 'request');
    },
    requestGap(bytes) {
      gaps.add('lost_bytes', bytes, 'request');
    },
    requestEnd(at, whole) {
      request_end_ns = at.ktime_ns;
      last_ns = at.ktime_ns;
      announce(whole);
    },
    responseHead(response, at) {
      if (ended) return;
      const { request } = announce(false);
      response_head = response;
      if (response.is_partial) gaps.add('joined_midstream', 0, 'response head');
      last_ns = at.ktime_ns;
      reader = provider.createResponseReader(request, { status: response.status, headers: response.headers });
      response_body = createResponseBody(response, reader, budget, gaps);
      tellFailure(response.headers, at);
    },
    responseBody(data, at) {
      if (ended) return;
      first_chunk_ns ??= at.ktime_ns;
      last_ns = at.ktime_ns;
      response_bytes += data.length;
      response_body?.push(data, at.ktime_ns);
      if (reader?.complete) finish(at, 'whole');
      else catchUpLater(at);
    },
    responseTrailers: tellFailure,
    responseGap(bytes, at) {
      if (ended) return;
      response_lost = true;
      last_ns = at.ktime_ns;
      if (response_body !== undefined) response_body.gap(bytes);
      else gaps.add('lost_bytes', bytes, 'response');
    },
    responseMalformed(at) {
      if (ended) return;
      response_lost = true;
      last_ns = at.ktime_ns;
      gaps.add('malformed', 0, 'response head');
    },
    responseEnd(at, how, cause) {
      if (how === 'whole' && !ended) last_ns = at.ktime_ns;
      finish(at, how, cause);
    },
  };
}
