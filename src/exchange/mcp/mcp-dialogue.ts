import type { Counters } from '../../health/counters.ts';
import type { ProcessKey } from '../../model/event.ts';
import type { CaptureGap } from '../../model/llm-call.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/json-rpc.ts';
import { boundedJson, field, stringField } from '../../providers/json-value.ts';
import { type CaptureGaps, countGaps, createCaptureGaps } from '../capture-gaps.ts';
import { clientFacts, type McpMessage, mcpError, mcpImplementation, mcpSubject } from './mcp-message.ts';

/** A process at one end. */
export interface McpParty {
  readonly process: ProcessKey;
  readonly pid: number;
}

/** What carries a message. */
export interface McpChannel extends Pick<McpCall, 'transport' | 'socket_id' | 'server_address' | 'server_port'> {
  readonly client: McpParty | undefined;
  readonly server: McpParty | undefined;
}

/** When a message came, and its size on the wire. */
export interface McpArrival {
  readonly first_ns: bigint;
  readonly last_ns: bigint;
  readonly tid: number;
  readonly bytes: number;
}

export interface McpDialogueOptions {
  readonly dialogue_id: string;
  readonly counters: Counters;
  /** Over HTTP: responses come on a stream of their own, not in that of the request. */
  readonly answers_on_stream?: boolean;
  emit(call: McpCall): void;
}

type Sender = McpCall['sender'];
type Response = Extract<JsonRpcMessage, { type: 'response' }>;

/** What one client and one server say to each other: requests, paired with their responses, and notifications. */
export interface McpDialogue {
  readonly protocol_version: string | undefined;
  readonly answers_on_stream: boolean;
  /** Some request has no response yet. */
  readonly is_waiting: boolean;
  /** What the headers of HTTP say of it. */
  isNamed(session_id: string | undefined, protocol_version: string | undefined): void;
  /** Is a response awaited by that side, with that id? */
  awaits(sender: Sender, id: JsonRpcId | undefined): boolean;
  /**
   * `channel` is asked anew for each phase: the other process may become known in between. `lane`: what carries it, where
   * others that carry the same dialogue may use the same ids.
   */
  send(message: McpMessage, sender: Sender, at: McpArrival, channel: () => McpChannel, lane?: string): void;
  /** A response to what `sender` asked: in this lane, else in any. */
  answer(message: Response, sender: Sender, at: McpArrival, gaps?: readonly CaptureGap[], lane?: string): void;
  /** We could not keep something that was said to `sender`: what it waits for, in this lane or any, may have been in it. */
  lose(sender: Sender, gap: CaptureGap, at_ns: bigint, lane?: string): void;
  /** A request that will not be answered any more; undefined: we only follow it no longer. */
  fail(sender: Sender, id: JsonRpcId, at_ns: bigint, error: McpCall['error'], lane?: string): void;
  /** Tells open requests again whose other end is known by now. */
  refresh(): void;
  /** Nothing more will be said, for that reason; undefined: we only follow it no longer. */
  end(at_ns: bigint, cause: string | undefined): void;
}

interface Pending {
  readonly key: string;
  readonly lane: string;
  call: McpCall;
  readonly progress_token: unknown;
  channel(): McpChannel;
  /** Its response may have been in what we could not keep, the last of that then. */
  lost: { readonly gaps: CaptureGaps; at_ns: bigint } | undefined;
}

/** Requests of one dialogue that wait for their response. */
const MAX_PENDING = 1024;
const COUNTED = /^notifications\/(?:progress|message)$/;
const NOBODY: ProcessKey = '0:0';

export function createMcpDialogue(options: McpDialogueOptions): McpDialogue {
  const { dialogue_id, counters, answers_on_stream = false } = options;
  const waiting = new Map<string, Pending>();
  let session_id: string | undefined;
  let protocol_version: string | undefined;
  let client_info: McpCall['client_info'];
  let server_info: McpCall['server_info'];
  let call_count = 0;

  const identity = (channel: McpChannel) => {
    const { client, server, transport, socket_id, server_address, server_port } = channel;
    const owner = client ?? server;
    return {
      process: owner?.process ?? NOBODY,
      pid: owner?.pid ?? 0,
      client_process: client?.process,
      server_process: server?.process,
      transport,
      socket_id,
      server_address,
      server_port,
      client_info,
      server_info,
      protocol_version,
      session_id,
    } satisfies Partial<McpCall>;
  };
  const find = (sender: Sender, id: JsonRpcId, lane: string): Pending | undefined => {
    const exact = waiting.get(keyOf(sender, id, lane));
    if (exact !== undefined) return exact;
    const name = keyOf(sender, id, '');
    return waiting.values().find(({ key }) => key.startsWith(name));
  };
  const finish = (pending: Pending, end_ns: bigint, outcome: Partial<McpCall>): void => {
    const { key, call, channel } = pending;
    if (waiting.get(key) === pending) waiting.delete(key);
    countGaps(counters, outcome.gaps ?? []);
    options.emit({ ...call, ...identity(channel()), phase: 'end', end_ns, ...outcome });
  };
  /** A response that we may have lost is no failure. */
  const giveUp = (pending: Pending, at_ns: bigint, error: McpCall['error']): void => {
    const { lost } = pending;
    if (lost !== undefined) finish(pending, lost.at_ns, { gaps: lost.gaps.list() });
    else if (error !== undefined) finish(pending, at_ns, { error });
    else finish(pending, at_ns, { gaps: [{ reason: 'cut', bytes: 0, detail: 'response' }] });
  };
  const countNotification = (progress_token: unknown): void => {
    const open = [...waiting.values()];
    const told = open.find((pending) => progress_token !== undefined && pending.progress_token === progress_token);
    const pending = told ?? open.at(-1);
    counters.counted('exchange.mcp_notifications');
    if (pending !== undefined) {
      pending.call = { ...pending.call, notification_count: pending.call.notification_count + 1 };
    }
  };
  const callOf = (message: McpMessage, sender: Sender, at: McpArrival, channel: McpChannel): McpCall => ({
    kind: 'mcp_call',
    phase: 'request',
    call_id: `${dialogue_id}/${++call_count}`,
    dialogue_id,
    sender,
    tid: at.tid,
    method: message.method,
    request_id: message.type === 'request' ? String(message.id) : undefined,
    ...mcpSubject(message),
    ...identity(channel),
    result: undefined,
    error: undefined,
    start_ns: at.first_ns,
    end_ns: at.last_ns,
    request_bytes: at.bytes,
    response_bytes: 0,
    notification_count: 0,
    gaps: [],
  });

  const dialogue: McpDialogue = {
    answers_on_stream,
    get protocol_version() {
      return protocol_version;
    },
    get is_waiting() {
      return waiting.size > 0;
    },
    isNamed(id, version) {
      session_id = id ?? session_id;
      protocol_version ??= version;
    },
    awaits: (sender, id) => id !== undefined && find(sender, id, '') !== undefined,
    send(message, sender, at, channel, lane = '') {
      const { method, params } = message;
      if (message.type === 'notification' && COUNTED.test(method)) {
        countNotification(field(params, 'progressToken'));
        return;
      }
      if (sender === 'client') {
        const facts = clientFacts(message);
        client_info = facts.client_info ?? client_info;
        protocol_version = facts.protocol_version ?? protocol_version;
      }
      counters.counted(message.type === 'request' ? 'exchange.mcp_requests' : 'exchange.mcp_notifications');
      const pending: Pending = {
        key: keyOf(sender, message.type === 'request' ? message.id : '', lane),
        lane,
        channel,
        progress_token: field(params, '_meta', 'progressToken'),
        call: callOf(message, sender, at, channel()),
        lost: undefined,
      };
      if (message.type === 'notification') {
        finish(pending, at.last_ns, {});
        const id = field(params, 'requestId');
        const is_cancel = method === 'notifications/cancelled' && (typeof id === 'string' || typeof id === 'number');
        if (is_cancel) dialogue.fail(sender, id, at.last_ns, CANCELLED);
        return;
      }
      const before = waiting.get(pending.key);
      if (before !== undefined) giveUp(before, at.first_ns, NO_RESPONSE);
      waiting.set(pending.key, pending);
      options.emit(pending.call);
      const [oldest] = waiting.values();
      if (waiting.size <= MAX_PENDING || oldest === undefined) return;
      counters.lost('exchange.mcp_calls_evicted');
      giveUp(oldest, at.last_ns, undefined);
    },
    answer(message, sender, at, gaps = [], lane = '') {
      const pending = find(sender, message.id ?? '', lane);
      if (pending === undefined) {
        counters.counted('exchange.mcp_orphan_responses');
        return;
      }
      const { method } = pending.call;
      const result = boundedJson(message.result);
      if ((method === 'initialize' || method === 'server/discover') && message.error === undefined) {
        server_info = mcpImplementation(field(result, 'serverInfo')) ?? server_info;
        protocol_version = stringField(result, 'protocolVersion') ?? protocol_version;
      }
      const error = mcpError(method, message.result, message.error);
      finish(pending, at.last_ns, { result, error, response_bytes: at.bytes, gaps });
    },
    lose(sender, { reason, bytes, detail }, at_ns, lane) {
      for (const pending of waiting.values()) {
        if (pending.call.sender !== sender || (lane !== undefined && pending.lane !== lane)) continue;
        pending.lost ??= { gaps: createCaptureGaps(), at_ns };
        pending.lost.at_ns = at_ns;
        pending.lost.gaps.add(reason, bytes, detail);
      }
    },
    fail(sender, id, at_ns, error, lane = '') {
      const pending = find(sender, id, lane);
      if (pending === undefined) return;
      if (error === undefined || error.type === NO_RESPONSE.type) giveUp(pending, at_ns, error);
      else finish(pending, at_ns, { error, gaps: pending.lost?.gaps.list() ?? [] });
    },
    refresh() {
      for (const pending of waiting.values()) {
        const now = identity(pending.channel());
        const { client_process, server_process } = pending.call;
        if (now.client_process === client_process && now.server_process === server_process) continue;
        pending.call = { ...pending.call, ...now };
        options.emit(pending.call);
      }
    },
    end(at_ns, cause) {
      const error = cause === undefined ? undefined : { ...NO_RESPONSE, message: cause };
      for (const pending of [...waiting.values()]) giveUp(pending, at_ns, error);
    },
  };
  return dialogue;
}

const NO_RESPONSE = { type: 'no_response', code: undefined, message: '' } as const;
const CANCELLED = { type: 'cancelled', code: undefined, message: '' } as const;

/** Text and number are different ids. */
function keyOf(sender: Sender, id: JsonRpcId, lane: string): string {
  return `${JSON.stringify([sender, id])} ${lane}`;
}
