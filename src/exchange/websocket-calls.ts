import type { Counters } from '../health/counters.ts';
import type { CallError, LlmCall } from '../model/llm-call.ts';
import type { FramedConnection, ResponseHead } from '../protocol/http-exchange.ts';
import { createWebSocket, type WebSocketSide } from '../protocol/websocket.ts';
import type { HttpRequestHead } from '../providers/provider.ts';
import { namesSeller } from '../providers/provider-name.ts';
import type { WebSocketApi, WebSocketCall, WebSocketSession } from '../providers/websocket-api.ts';
import type { Arrival } from './arrival.ts';
import { createAttempt, FAILED_RESULT } from './attempt.ts';
import { type BodyBudget, createBodyCollector } from './body-collector.ts';
import { type CaptureGaps, countCall, createCaptureGaps } from './capture-gaps.ts';
import type { CallOrigin } from './llm-exchange.ts';

export interface WebSocketCallsOptions {
  readonly apis: readonly WebSocketApi[];
  /** Of the upgrade, without credentials. */
  readonly head: HttpRequestHead;
  readonly response: ResponseHead;
  readonly budget: BodyBudget;
  readonly counters: Counters;
  /** Of a new call; to be asked anew for each phase. */
  origin(start: Arrival): () => CallOrigin;
  /** What ended the connection, in words; undefined: we only stopped following it. */
  closeCause(): string | undefined;
  emit(call: LlmCall): void;
  /** What is said is nothing that can be understood. */
  unread(at: Arrival): void;
}

interface OpenCall {
  readonly call: WebSocketCall;
  readonly origin: () => CallOrigin;
  readonly start_ns: bigint;
  readonly request_end_ns: bigint;
  readonly request_bytes: number;
  readonly gaps: CaptureGaps;
  response_bytes: number;
  first_chunk_ns: bigint | undefined;
  last_ns: bigint;
  response_lost: boolean;
}

/** Messages in which the beginning of an API is looked for: of the client, or, of the one that has such a path, of both. */
const MAX_UNKNOWN_MESSAGES = 4;

/** Follows a WebSocket: tells each call to a model that is made over it when its request is complete, and when it ended. */
export function createWebSocketCalls(options: WebSocketCallsOptions): FramedConnection<Arrival> {
  const { apis, head, response, budget, counters, emit } = options;
  const attempt = createAttempt(counters);
  const open = new Map<WebSocketCall, OpenCall>();
  let session: WebSocketSession | undefined;
  /** The API that the path is of, as long as nothing was said in it. */
  let supposed: WebSocketApi | undefined;
  let unknown_messages = 0;
  let is_unread = false;
  /** Sent since the last call began: what the next one asks with. */
  let sent_bytes = 0;
  let sent_gaps = createCaptureGaps();
  /** In plain, since a call began or ended: what its reader may have to keep. */
  let received_bytes = 0;
  let close_cause: string | undefined;

  const tell = ({ call, origin, ...rest }: OpenCall, phase: LlmCall['phase']): LlmCall => ({
    kind: 'llm_call',
    phase,
    ...origin(),
    provider: call.provider,
    is_seller_unknown: !namesSeller(head),
    traceparent: head.headers.get('traceparent'),
    tracestate: head.headers.get('tracestate'),
    user_agent: head.headers.get('user-agent'),
    request: call.request,
    request_start_ns: rest.start_ns,
    request_end_ns: rest.request_end_ns,
    request_bytes: rest.request_bytes,
    response: undefined,
    response_first_chunk_ns: rest.first_chunk_ns,
    end_ns: rest.last_ns,
    response_bytes: rest.response_bytes,
    http_status: response.is_partial ? undefined : response.status,
    error: undefined,
    gaps: rest.gaps.list(),
  });

  const begin = (call: WebSocketCall, start: Arrival, at: Arrival): OpenCall => {
    const begun: OpenCall = {
      call,
      origin: options.origin(start),
      start_ns: start.call_start_ns,
      request_end_ns: at.ktime_ns,
      request_bytes: sent_bytes,
      gaps: sent_gaps,
      response_bytes: 0,
      first_chunk_ns: undefined,
      last_ns: at.ktime_ns,
      response_lost: false,
    };
    if (response.is_partial) begun.gaps.add('joined_midstream', 0, 'request head');
    if (call.request_lost && begun.gaps.list().length === 0) begun.gaps.add('lost_bytes', 0, 'request');
    if (call.malformed !== undefined) begun.gaps.add('malformed', 0, `request: ${call.malformed}`);
    supposed = undefined;
    sent_bytes = 0;
    received_bytes = 0;
    sent_gaps = createCaptureGaps();
    open.set(call, begun);
    emit(tell(begun, 'request'));
    return begun;
  };

  const errorOf = ({ call, response_lost, first_chunk_ns }: OpenCall, cause: string | undefined) => {
    if (call.state === 'complete' || response_lost || cause === undefined) return undefined;
    return { type: first_chunk_ns === undefined ? 'no_response' : 'cut', message: cause };
  };
  const finish = (opened: OpenCall, cause: string | undefined): void => {
    open.delete(opened.call);
    received_bytes = 0;
    const result = attempt(
      () => opened.call.result(),
      () => FAILED_RESULT,
    );
    if (result.malformed !== undefined) opened.gaps.add('malformed', 0, `response: ${result.malformed}`);
    const error: CallError | undefined = result.error ?? errorOf(opened, cause);
    if (error?.type === 'cut') opened.gaps.add('cut', 0, 'response');
    countCall(counters, error, opened.gaps.list());
    emit({ ...tell(opened, 'end'), response: result.response, error });
  };
  const finishAll = (at: Arrival, cause: string | undefined): void => {
    for (const opened of [...open.values()]) {
      if (!opened.response_lost) opened.last_ns = at.ktime_ns;
      finish(opened, cause);
    }
  };
  const finishEnded = (): void => {
    for (const opened of [...open.values()]) {
      if (opened.call.state !== 'open') finish(opened, 'another response began on the WebSocket');
    }
  };

  const giveUp = (at: Arrival): void => {
    is_unread = true;
    options.unread(at);
  };
  const missApi = (at: Arrival): void => {
    if (++unknown_messages >= MAX_UNKNOWN_MESSAGES) giveUp(at);
  };
  const speak = (message: string, at: Arrival): void => {
    const api = apis.find((candidate) =>
      attempt(
        () => candidate.recognises(message),
        () => false,
      ),
    );
    session = attempt(
      () => api?.createSession(head),
      () => undefined,
    );
    if (session === undefined) missApi(at);
  };
  const receive = (message: string, bytes: number, at: Arrival): void => {
    const call = attempt(
      () => session?.received(message, at.ktime_ns),
      () => undefined,
    );
    if (call === undefined) return;
    let opened = open.get(call);
    if (opened === undefined) {
      opened = begin(call, { ...at, call_start_ns: at.ktime_ns }, at);
    }
    opened.response_bytes += bytes;
    opened.first_chunk_ns ??= at.ktime_ns;
    opened.last_ns = at.ktime_ns;
  };
  const send = (message: string, start: Arrival, at: Arrival): void => {
    if (session === undefined) speak(message, at);
    const call = attempt(
      () => session?.sent(message, at.ktime_ns),
      () => undefined,
    );
    if (call !== undefined) begin(call, start, at);
  };

  const findSession = (): void => {
    attempt(
      () => {
        supposed = apis.find((candidate) => candidate.matches(head));
        session = supposed?.createSession(head);
      },
      () => undefined,
    );
  };
  const doubt = (message: string, at: Arrival): void => {
    const is_understood = attempt(
      () => supposed?.understands(message),
      () => false,
    );
    if (is_understood) supposed = undefined;
    else if (is_understood === false) missApi(at);
  };
  const damage = (
    side: WebSocketSide,
    reason: 'lost_bytes' | 'malformed' | 'too_large' | 'decompression',
    bytes: number,
    at: Arrival,
  ) => {
    if (session === undefined) {
      if (reason === 'malformed') giveUp(at);
      else missApi(at);
    }
    session?.damaged(side);
    if (side === 'sent') sent_gaps.add(reason, bytes, 'request');
    else {
      // What was not answered yet is hardly what was lost.
      const begun = [...open.values()].filter(({ first_chunk_ns }) => first_chunk_ns !== undefined);
      const touched = begun.length > 0 ? begun : [...open.values()];
      for (const opened of touched) {
        opened.gaps.add(reason, touched.length === 1 ? bytes : 0, 'response');
        opened.response_lost = true;
        opened.last_ns = at.ktime_ns;
      }
    }
  };

  findSession();
  const socket = createWebSocket<Arrival>(
    { response, max_message_bytes: budget.max_body_bytes, collect: () => createBodyCollector(budget) },
    {
      message(side, { data, payload_bytes }, at, start) {
        // Some servers send their JSON as binary messages.
        const text = data.toString('utf8');
        doubt(text, at);
        if (side === 'sent') {
          sent_bytes += payload_bytes;
          send(text, start, at);
        } else {
          received_bytes += data.length;
          if (received_bytes > budget.max_body_bytes) damage(side, 'too_large', payload_bytes, at);
          else receive(text, payload_bytes, at);
        }
        finishEnded();
      },
      damaged: damage,
      closed(side, code, reason, at) {
        const by = side === 'sent' ? 'client' : 'server';
        close_cause ??= `the ${by} closed the WebSocket (${code}${reason === '' ? '' : ` ${reason}`})`;
        finishAll(at, close_cause);
      },
      skipped: (bytes) => counters.counted('exchange.skipped_bytes', bytes),
      ended(at, cause) {
        const is_unknown = session === undefined || (supposed !== undefined && unknown_messages > 0);
        if (is_unknown && !is_unread) giveUp(at);
        finishAll(at, close_cause ?? cause ?? options.closeCause());
      },
    },
  );
  return {
    ...socket,
    get between_frames() {
      return is_unread || socket.between_frames;
    },
    write(data, at) {
      if (!is_unread) socket.write(data, at);
    },
    read(data, at) {
      if (!is_unread) socket.read(data, at);
    },
  };
}
