import type { Counters } from '../../health/counters.ts';
import type { CaptureGap } from '../../model/llm-call.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import { decodeContent } from '../../protocol/content-coding.ts';
import type { ExchangeListener } from '../../protocol/http-exchange.ts';
import { bodyCodings } from '../../protocol/http1-head.ts';
import { type JsonRpcMessage, parseJsonRpc } from '../../protocol/json-rpc.ts';
import type { HttpRequestHead } from '../../providers/provider.ts';
import type { Arrival } from '../arrival.ts';
import { type BodyBudget, createBodyCollector } from '../body-collector.ts';
import { type CaptureGaps, createCaptureGaps, isOurLoss } from '../capture-gaps.ts';
import { type BodyReader, createResponseBody, type ResponseBody } from '../response-body.ts';
import type { McpArrival, McpChannel, McpDialogue } from './mcp-dialogue.ts';
import type { McpSessions } from './mcp-http.ts';
import { mcpSender } from './mcp-message.ts';

export interface McpHttpExchangeOptions {
  readonly head: HttpRequestHead;
  readonly start: Arrival;
  readonly sessions: McpSessions;
  /** Names this exchange among those of its client. */
  readonly lane: string;
  readonly budget: BodyBudget;
  readonly counters: Counters;
  channel(): McpChannel;
  /** What ended the connection, in words; undefined: we only stopped following it. */
  closeCause(): string | undefined;
  later(callback: () => void): void;
}

const ACCEPTED = 202;
/** Of a request that could not be read: some clients say it in a header, too (`Mcp-Method`, MCP 2026-07-28). */
const UNKNOWN_METHOD = '_OTHER';

/** Follows one request over HTTP: the messages that are posted, and those that come back in its response or stream. */
export function createMcpHttpExchange(options: McpHttpExchangeOptions): ExchangeListener<Arrival> {
  const { head, start, sessions, lane, channel, closeCause, budget, counters } = options;
  const target = pathOf(head.target);
  const session_id = head.headers.get('mcp-session-id');
  const request_body = createBodyCollector(budget);
  const response_gaps = createCaptureGaps();
  let dialogue = session_id === undefined ? undefined : sessions.find(target, session_id);
  let response_body: ResponseBody | undefined;
  let status = 0;
  let request_bytes = 0;
  let lost_request: CaptureGap | undefined;
  let is_response_lost = false;
  let is_read = false;
  let is_waiting = false;
  /** What this request asks. */
  const asked: { readonly id: string | number }[] = [];
  let now: Arrival = start;

  /** Also those of a response that was whole for the client: what it waits for may have been there. */
  const gaps: CaptureGaps = {
    add(reason, bytes, detail) {
      response_gaps.add(reason, bytes, detail);
      if (!isOurLoss(reason)) return;
      is_response_lost = true;
      const resumes = head.method === 'GET' && (dialogue?.answers_on_stream || head.headers.has('last-event-id'));
      dialogue?.lose('client', { reason, bytes, detail }, now.ktime_ns, resumes ? undefined : lane);
    },
    list: response_gaps.list,
  };
  const isMcp = (): boolean =>
    dialogue !== undefined || session_id !== undefined || head.headers.has('mcp-protocol-version');
  const leftOut = (count: number): void => {
    if (isMcp()) counters.lost('exchange.mcp_batch_left_out', count);
  };
  const readRequest = (): void => {
    if (is_read) return;
    is_read = true;
    const coded = request_body.joined();
    request_body.release();
    if (lost_request === undefined) {
      const { data, problem } = decodeContent(coded, bodyCodings(head.headers), budget.max_body_bytes);
      const text = problem === undefined ? data.toString('utf8') : '';
      if (problem !== undefined) lost_request = { reason: problem, bytes: request_bytes, detail: 'request' };
      const messages = text.includes('"jsonrpc"') ? parseJsonRpc(text, leftOut) : [];
      for (const message of messages) post(message, text.length);
    }
    if (lost_request !== undefined) loseRequest(lost_request);
  };
  /** What was posted is not known: the response tells whether it asked for something. */
  const loseRequest = (gap: CaptureGap): void => {
    dialogue ??= sessions.find(target, undefined);
    if (!isMcp()) return;
    counters.lost('exchange.mcp_requests_lost');
    dialogue ??= begin();
    dialogue.isNamed(session_id, head.headers.get('mcp-protocol-version'));
    dialogue.lose('server', gap, now.ktime_ns);
  };
  const begin = (): McpDialogue => {
    const begun = sessions.begin(target);
    if (session_id !== undefined) sessions.name(begun, target, session_id);
    return begun;
  };
  const post = (message: JsonRpcMessage, bytes: number): void => {
    const at: McpArrival = { first_ns: start.call_start_ns, last_ns: now.ktime_ns, tid: start.tid, bytes };
    if (message.type === 'response') {
      (dialogue ?? sessions.find(target, undefined))?.answer(message, 'server', at);
      return;
    }
    const is_initialize = message.method === 'initialize' && mcpSender(message) === 'client';
    if (is_initialize && dialogue === undefined) {
      const known = sessions.find(target, undefined);
      dialogue = known === undefined || known.protocol_version !== undefined ? sessions.begin(target) : known;
    }
    dialogue ??= sessions.find(target, undefined);
    if (dialogue === undefined && (isMcp() || mcpSender(message) === 'client')) {
      dialogue = begin();
    }
    if (dialogue === undefined) return;
    dialogue.isNamed(session_id, head.headers.get('mcp-protocol-version'));
    sessions.follow(dialogue);
    if (message.type === 'request') asked.push(message);
    dialogue.send(message, 'client', at, channel, lane);
  };

  /** Tells what a response shows to have been asked, where that was lost; and what is missing. */
  const askedUnseen = ({ id }: Pick<JsonRpcMessage & { type: 'response' }, 'id'>): readonly CaptureGap[] => {
    if (lost_request === undefined || id === undefined || dialogue?.awaits('client', id) !== false) return [];
    const method = head.headers.get('mcp-method') ?? UNKNOWN_METHOD;
    const { call_start_ns: first_ns, ktime_ns: last_ns, tid } = start;
    const at: McpArrival = { first_ns, last_ns, tid, bytes: request_bytes };
    dialogue.send({ type: 'request', id, method, params: undefined }, 'client', at, channel, lane);
    return [lost_request];
  };
  /** What the server says, on whichever stream. */
  const hear = (message: JsonRpcMessage, bytes: number, now_ns: bigint): void => {
    const at: McpArrival = { first_ns: now_ns, last_ns: now_ns, tid: now.tid, bytes };
    if (dialogue === undefined) return;
    sessions.follow(dialogue);
    if (message.type !== 'response') dialogue.send(message, 'server', at, channel);
    else dialogue.answer(message, 'client', at, [...askedUnseen(message), ...gaps.list()], lane);
  };
  const hearText = (text: string, ktime_ns: bigint): void => {
    if (dialogue === undefined || !text.includes('"jsonrpc"')) return;
    for (const message of parseJsonRpc(text, leftOut)) hear(message, text.length, ktime_ns);
  };
  const reader: BodyReader = {
    pushEvent({ event, data }, ktime_ns) {
      // HTTP with SSE: the first event names the place to post to, which names the session.
      if (event === 'endpoint' && head.method === 'GET') {
        dialogue = sessions.begin(pathOf(resolveTarget(data.trim(), head)), true);
      } else hearText(data, ktime_ns);
    },
    pushBody: (body, ktime_ns) => hearText(body.toString('utf8'), ktime_ns),
  };
  const catchUpLater = (): void => {
    if (is_waiting || response_body?.is_behind !== true) return;
    is_waiting = true;
    options.later(() => {
      is_waiting = false;
      response_body?.catchUp();
    });
  };
  /** What was asked, and is not answered by now, will not be. */
  const fail = (at: Arrival, error: McpCall['error']): void => {
    for (const { id } of asked) dialogue?.fail('client', id, at.ktime_ns, error, lane);
  };

  return {
    requestBody(data, at) {
      now = at;
      request_bytes += data.length;
      if (is_read || lost_request !== undefined || request_body.add(data)) return;
      lost_request = { reason: 'too_large', bytes: 0, detail: 'request' };
    },
    requestGap(bytes) {
      request_bytes += bytes;
      lost_request ??= { reason: 'lost_bytes', bytes, detail: 'request' };
    },
    requestEnd(at) {
      now = at;
      readRequest();
    },
    responseHead(response, at) {
      now = at;
      readRequest();
      status = response.status;
      const given_id = response.headers.get('mcp-session-id');
      if (head.method === 'GET') dialogue ??= sessions.find(target, undefined);
      if (dialogue !== undefined && given_id !== undefined && given_id !== session_id) {
        dialogue.isNamed(given_id, undefined);
        sessions.name(dialogue, target, given_id);
      }
      const is_stream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
      if (dialogue !== undefined || (is_stream && head.method === 'GET')) {
        response_body = createResponseBody(response, reader, budget, gaps);
      }
    },
    responseBody(data, at) {
      now = at;
      response_body?.push(data, at.ktime_ns);
      catchUpLater();
    },
    responseGap(bytes, at) {
      now = at;
      if (response_body !== undefined) response_body.gap(bytes);
      else if (dialogue !== undefined) gaps.add('lost_bytes', bytes, 'response');
    },
    responseMalformed(at) {
      now = at;
      is_response_lost = true;
      dialogue?.lose('client', { reason: 'malformed', bytes: 0, detail: 'response head' }, at.ktime_ns, lane);
    },
    responseEnd(at, how, cause) {
      now = at;
      readRequest();
      response_body?.end(at.ktime_ns, how === 'whole' || how === 'closed');
      const is_stream = response_body?.streamed === true;
      response_body = undefined;
      if (dialogue === undefined || dialogue.answers_on_stream || status === ACCEPTED) return;
      // A stream that breaks off may be resumed on another one.
      if (how === 'lost' ? !is_response_lost : is_stream && status < 400) return;
      const text = cause ?? closeCause();
      if (status >= 400) fail(at, { type: String(status), code: undefined, message: `HTTP ${status}` });
      else if (how === 'cut' && text === undefined) fail(at, undefined);
      else fail(at, { type: 'no_response', code: undefined, message: text ?? '' });
    },
  };
}

/** Path and query of a target. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
}

function resolveTarget(endpoint: string, { host, target }: HttpRequestHead): string {
  const url = URL.parse(endpoint, `http://${host ?? 'localhost'}${pathOf(target)}`);
  return url === null ? endpoint : `${url.pathname}${url.search}`;
}
