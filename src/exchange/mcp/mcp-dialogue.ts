import type { Counters } from '../../health/counters.ts';
import type { ProcessKey } from '../../model/event.ts';
import type { CaptureGap } from '../../model/llm-call.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { JsonRpcId, JsonRpcMessage } from '../../protocol/json-rpc.ts';
import { boundedJson, field, stringField } from '../../providers/json-value.ts';
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
  emit(call: McpCall): void;
}

type Sender = McpCall['sender'];
type Response = Extract<JsonRpcMessage, { type: 'response' }>;

interface Pending {
  readonly key: string;
  call: McpCall;
  readonly progress_token: unknown;
  channel(): McpChannel;
}

/** Requests of one dialogue that wait for their response. */
const MAX_PENDING = 1024;
const COUNTED = /^notifications\/(?:progress|message)$/;

/** What one client and one server say to each other: requests, paired with their responses, and notifications. */
export class McpDialogue {
  session_id: string | undefined;
  protocol_version: string | undefined;
  /** Over HTTP: responses come on a stream of their own, not in that of the request. */
  answers_on_stream = false;
  readonly #options: McpDialogueOptions;
  readonly #pending = new Map<string, Pending>();
  #client_info: McpCall['client_info'];
  #server_info: McpCall['server_info'];
  #count = 0;

  constructor(options: McpDialogueOptions) {
    this.#options = options;
  }

  /** Is a response awaited by that side, with that id? */
  awaits(sender: Sender, id: JsonRpcId | undefined): boolean {
    return id !== undefined && this.#find(sender, id, '') !== undefined;
  }

  get is_waiting(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * `channel` is asked anew for each phase: the other process may become known in between. `lane`: what carries it, where
   * others that carry the same dialogue may use the same ids.
   */
  send(message: McpMessage, sender: Sender, at: McpArrival, channel: () => McpChannel, lane = ''): void {
    const { method, params } = message;
    if (message.type === 'notification' && COUNTED.test(method)) {
      this.#countNotification(field(params, 'progressToken'));
      return;
    }
    if (sender === 'client') {
      const { client_info, protocol_version } = clientFacts(message);
      this.#client_info = client_info ?? this.#client_info;
      this.protocol_version = protocol_version ?? this.protocol_version;
    }
    const { dialogue_id, counters } = this.#options;
    counters.counted(message.type === 'request' ? 'exchange.mcp_requests' : 'exchange.mcp_notifications');
    const pending: Pending = {
      key: keyOf(sender, message.type === 'request' ? message.id : '', lane),
      channel,
      progress_token: field(params, '_meta', 'progressToken'),
      call: {
        kind: 'mcp_call',
        phase: 'request',
        call_id: `${dialogue_id}/${++this.#count}`,
        dialogue_id,
        sender,
        tid: at.tid,
        method,
        request_id: message.type === 'request' ? String(message.id) : undefined,
        ...mcpSubject(message),
        ...this.#identity(channel()),
        result: undefined,
        error: undefined,
        start_ns: at.first_ns,
        end_ns: at.last_ns,
        request_bytes: at.bytes,
        response_bytes: 0,
        notification_count: 0,
        gaps: [],
      },
    };
    if (message.type === 'notification') {
      this.#finish(pending, at.last_ns, {});
      if (method === 'notifications/cancelled') this.#cancel(sender, field(params, 'requestId'), at);
      return;
    }
    const { key } = pending;
    const before = this.#pending.get(key);
    this.#pending.delete(key);
    if (before !== undefined) this.#finish(before, at.first_ns, { error: NO_RESPONSE });
    this.#pending.set(key, pending);
    this.#options.emit(pending.call);
    const [oldest] = this.#pending;
    if (this.#pending.size <= MAX_PENDING || oldest === undefined) return;
    counters.lost('exchange.mcp_calls_evicted');
    this.#pending.delete(oldest[0]);
    this.#finish(oldest[1], at.last_ns, { error: NO_RESPONSE });
  }

  /** A response to what `sender` asked: in this lane, else in any. */
  answer(message: Response, sender: Sender, at: McpArrival, gaps: readonly CaptureGap[] = [], lane = ''): void {
    const pending = this.#find(sender, message.id ?? '', lane);
    if (pending === undefined) {
      this.#options.counters.counted('exchange.mcp_orphan_responses');
      return;
    }
    const { method } = pending.call;
    const result = boundedJson(message.result);
    if ((method === 'initialize' || method === 'server/discover') && message.error === undefined) {
      this.#server_info = mcpImplementation(field(result, 'serverInfo')) ?? this.#server_info;
      this.protocol_version = stringField(result, 'protocolVersion') ?? this.protocol_version;
    }
    this.#pending.delete(pending.key);
    const error = mcpError(method, message.result, message.error);
    this.#finish(pending, at.last_ns, { result, error, response_bytes: at.bytes, gaps });
  }

  /** A request that will not be answered any more. */
  fail(sender: Sender, id: JsonRpcId, at_ns: bigint, outcome: Pick<McpCall, 'error' | 'gaps'>, lane = ''): void {
    const pending = this.#find(sender, id, lane);
    if (pending === undefined) return;
    this.#pending.delete(pending.key);
    this.#finish(pending, at_ns, outcome);
  }

  /** Tells open requests again whose other end is known by now. */
  refresh(): void {
    for (const pending of this.#pending.values()) {
      const identity = this.#identity(pending.channel());
      const { client_process, server_process } = pending.call;
      if (identity.client_process === client_process && identity.server_process === server_process) continue;
      pending.call = { ...pending.call, ...identity };
      this.#options.emit(pending.call);
    }
  }

  /** Nothing more will be said. */
  end(at_ns: bigint, message: string): void {
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of open) this.#finish(pending, at_ns, { error: { ...NO_RESPONSE, message } });
  }

  #find(sender: Sender, id: JsonRpcId, lane: string): Pending | undefined {
    const exact = this.#pending.get(keyOf(sender, id, lane));
    if (exact !== undefined) return exact;
    const name = keyOf(sender, id, '');
    return this.#pending.values().find(({ key }) => key.startsWith(name));
  }

  #cancel(sender: Sender, id: unknown, { last_ns }: McpArrival): void {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.fail(sender, id, last_ns, { error: { type: 'cancelled', code: undefined, message: '' }, gaps: [] });
  }

  #countNotification(progress_token: unknown): void {
    const open = [...this.#pending.values()];
    const told = open.find((pending) => progress_token !== undefined && pending.progress_token === progress_token);
    const pending = told ?? open.at(-1);
    this.#options.counters.counted('exchange.mcp_notifications');
    if (pending !== undefined) {
      pending.call = { ...pending.call, notification_count: pending.call.notification_count + 1 };
    }
  }

  #finish(pending: Pending, end_ns: bigint, outcome: Partial<McpCall>): void {
    const { call, channel } = pending;
    this.#options.emit({ ...call, ...this.#identity(channel()), phase: 'end', end_ns, ...outcome });
  }

  #identity(channel: McpChannel) {
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
      client_info: this.#client_info,
      server_info: this.#server_info,
      protocol_version: this.protocol_version,
      session_id: this.session_id,
    } satisfies Partial<McpCall>;
  }
}

const NOBODY: ProcessKey = '0:0';
const NO_RESPONSE = { type: 'no_response', code: undefined, message: '' } as const;

/** Text and number are different ids. */
function keyOf(sender: Sender, id: JsonRpcId, lane: string): string {
  return `${JSON.stringify([sender, id])} ${lane}`;
}
