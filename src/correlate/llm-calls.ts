import { BoundedMap } from '../model/bounded-map.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { Caller } from './caller.ts';
import { type Chat, tellChat } from './chat.ts';
import type { Conversation } from './conversation.ts';
import type { McpCalls } from './mcp-calls.ts';
import type { NetworkFolds } from './network-folds.ts';
import { placeOf } from './process-segment.ts';
import type { ProcessSegments } from './process-segments.ts';
import type { Process, ProcessTree } from './process-tree.ts';
import type { Scope } from './scope.ts';
import { openToolWindow, toolResults } from './tool-window.ts';
import { addUsage, isSettled, LONG_TURN, type Turn } from './turn.ts';
import type { TurnEnd } from './turn-end.ts';
import type { Turns } from './turns.ts';

interface PendingCall {
  readonly turn: Turn;
  readonly conversation: Conversation;
  readonly chat: Chat;
}

const MAX_PENDING = 4096;
const MAX_DEPTH = 32;
const MAX_WINDOWS_PER_TURN = 256;

/** Puts calls of a model into turns, and opens and closes the windows of the tool calls they carry. */
export class LlmCalls {
  readonly #tree: ProcessTree;
  readonly #turns: Turns;
  readonly #segments: ProcessSegments;
  readonly #network: NetworkFolds;
  readonly #end: TurnEnd;
  readonly #mcp: McpCalls;
  readonly #pending: BoundedMap<string, PendingCall>;

  constructor(
    tree: ProcessTree,
    turns: Turns,
    segments: ProcessSegments,
    network: NetworkFolds,
    end: TurnEnd,
    mcp: McpCalls,
  ) {
    this.#tree = tree;
    this.#turns = turns;
    this.#segments = segments;
    this.#network = network;
    this.#end = end;
    this.#mcp = mcp;
    this.#pending = new BoundedMap(MAX_PENDING, (call_id, { turn, chat }) => {
      turns.counters.lost('correlate.calls_evicted');
      if (turn.in_flight.delete(call_id)) tellChat(turns, turn, chat, chat.call, chat.call.end_ns);
    });
  }

  push(call: LlmCall): void {
    const process = this.#tree.get(call.process);
    const scope = process === undefined ? undefined : this.#tree.scopeOf(process);
    if (process === undefined || scope === undefined) {
      this.#turns.counters.lost('correlate.call_of_nobody');
      return;
    }
    const known = this.#pending.get(call.call_id);
    const is_late = known?.turn.is_ended === true;
    const pending = known === undefined || is_late ? this.#begin(process, scope, call, known?.chat) : known;
    if (call.phase === 'end') this.#finish(process, call, pending);
  }

  /** `before`: of the same call, in a turn that has ended. */
  #begin(process: Process, scope: Scope, call: LlmCall, before: Chat | undefined): PendingCall {
    const at_ns = call.request_start_ns;
    const caller = this.#callerOf(process, scope);
    const continued = this.#closeAnswered(scope, call);
    const found = scope.conversations.find(call.request);
    // Two processes that say the same thing do not say it to each other.
    const known = found?.conversation.turn.caller === caller ? found.conversation : undefined;
    let turn: Turn | undefined;
    if (continued !== undefined) turn = continued;
    else if (known !== undefined && !known.turn.is_ended) {
      const is_next = known.has_answered && found?.adds_user_message === true && isSettled(known.turn);
      if (is_next) this.#end.endTurn(known.turn, at_ns, false);
      else turn = known.turn;
    } else if (known === undefined && caller.turn?.is_ended === false) {
      const age_ns = at_ns - caller.turn.start_ns;
      const is_long = age_ns >= LONG_TURN * this.#turns.options.turn_timeout;
      const is_over = isSettled(caller.turn) && (is_long || isNextQuestion(call, caller.turn));
      if (is_over) this.#end.endTurn(caller.turn, caller.turn.last_ns, false);
      else turn = caller.turn;
    }
    const begun = turn === undefined ? this.#beginTurn(caller, call) : undefined;
    turn ??= begun as Turn;
    const conversation = known ?? { turn, has_answered: false };
    conversation.turn = turn;
    conversation.has_answered = false;
    scope.conversations.remember(call.request, conversation);
    this.#enter(caller, turn, call);
    if (begun !== undefined && caller.outer === undefined) this.#endTurnsBefore(turn);
    const { lost_count: lost_before } = this.#turns;
    const chat: Chat = {
      id: `${turn.root_id}/chat/${call.call_id}`,
      call,
      start_ns: at_ns,
      continues: before?.id,
      lost_before,
    };
    turn.in_flight.set(call.call_id, chat);
    const pending = { turn, conversation, chat };
    this.#pending.set(call.call_id, pending);
    return pending;
  }

  #callerOf(process: Process, scope: Scope): Caller {
    if (process.caller !== undefined) return process.caller;
    let outer: Caller | undefined;
    for (const ancestor of this.#tree.ancestors(process)) {
      if (ancestor.scope !== scope) break;
      outer = ancestor.caller;
      if (outer !== undefined) break;
    }
    process.caller = { process, outer, agent: undefined, turn: undefined };
    return process.caller;
  }

  #beginTurn(caller: Caller, call: LlmCall): Turn {
    const at_ns = call.request_start_ns;
    if (caller.outer !== undefined) {
      const segment = this.#segments.of(caller.process, at_ns);
      if (segment !== undefined) {
        segment.has_children = true;
        const served = this.#mcp.servedPlace(caller.process);
        let { turn } = served ?? segment;
        // Deeper ones hang where they should, but end with the one that many levels above them.
        while (turn.depth >= MAX_DEPTH && turn.outer !== undefined) turn = turn.outer;
        return this.#turns.begin(caller, { turn, parent_id: served?.place.parent_id ?? segment.id }, at_ns);
      }
    }
    return this.#turns.begin(caller, undefined, at_ns);
  }

  /** No more calls come of a turn whose caller has exited: another caller's turn ends it. */
  #endTurnsBefore(turn: Turn): void {
    for (const other of [...turn.scope.turns]) {
      const has_exited = other.caller?.process.exit !== undefined;
      if (other !== turn && other.outer === undefined && has_exited) this.#end.endTurn(other, turn.start_ns, false);
    }
  }

  /** Makes the caller, and what is between it and the root, part of a turn that it takes part in from now on. */
  #enter(caller: Caller, turn: Turn, call: LlmCall): void {
    const { process } = caller;
    const { request, traceparent, tracestate, provider, request_start_ns: at_ns } = call;
    const { scope } = turn;
    scope.has_called = true;
    caller.turn = turn;
    turn.call_count++;
    turn.answer_ns = undefined;
    turn.provider ??= provider;
    if (turn.input === undefined || importanceOf(call) > importanceOf(turn.input)) {
      turn.input = call;
      turn.output = undefined;
    }
    turn.conversation_id ??= request.conversation_id;
    const environment = [process, scope.root].map((one) => one.facts?.environment).find((one) => one?.TRACEPARENT);
    if (turn.traceparent === undefined) {
      turn.traceparent = environment?.TRACEPARENT ?? traceparent;
      turn.tracestate = environment?.TRACEPARENT === undefined ? tracestate : environment.TRACESTATE;
    }
    if (caller.outer === undefined) {
      scope.current = turn;
      const below = new Set<string>();
      for (const one of [process, ...this.#tree.ancestors(process)]) {
        if (one === scope.root || one.scope !== scope) break;
        if (one.segment !== undefined && !one.is_agent) below.add(one.segment.id);
        const was_agent = one.is_agent;
        one.is_agent = true;
        if (one.exit !== undefined) continue;
        // One that takes part in several turns at once stays where it was shown first.
        if (was_agent) this.#segments.of(one, at_ns);
        else this.#segments.promote(one, turn, at_ns);
      }
      if (turn.held !== undefined) this.#adopt(turn, below);
    } else process.is_agent = true;
    this.#network.carriesCall(process, call.socket_id, turn, call.server_address);
  }

  /** What an agent's processes did before its first call hangs under the turn, not under those processes. */
  #adopt(turn: Turn, below: ReadonlySet<string>): void {
    const isBelow = (id: string | undefined) => id !== undefined && below.has(id);
    this.#turns.release(turn, ({ kind, parent_id }) =>
      isBelow(parent_id) && kind !== 'chat' ? turn.root_id : parent_id,
    );
    for (const { segment } of turn.processes) {
      if (segment === undefined || segment.turn !== turn) continue;
      const place = placeOf(segment);
      if (isBelow(place.parent_id)) segment.place = { ...place, parent_id: turn.root_id };
    }
  }

  #finish(process: Process, call: LlmCall, { turn, conversation, chat }: PendingCall): void {
    const { response, error } = call;
    const tool_calls = response?.tool_calls ?? [];
    this.#pending.delete(call.call_id);
    if (response !== undefined) turn.scope.conversations.rememberResponse(response, conversation);
    const is_answer = response !== undefined && call.request.is_warm_up !== true && error === undefined;
    conversation.has_answered = is_answer && tool_calls.length === 0;
    turn.in_flight.delete(call.call_id);
    if (turn.input === undefined || importanceOf(call) >= importanceOf(turn.input)) {
      turn.output = call;
      turn.error_type = error?.type;
    }
    turn.usage = addUsage(turn.usage, response?.usage ?? {});
    turn.conversation_id ??= response?.conversation_id;
    turn.answer_ns = call.end_ns;
    if (response !== undefined) turn.latest_answer = { chat_id: chat.id, end_ns: call.end_ns };
    const says_something = tool_calls.length > 0 || conversation.has_answered;
    turn.has_response ||= says_something && call.request.operation !== 'embeddings';
    this.#network.carriesCall(process, call.socket_id, turn, call.server_address);
    tellChat(this.#turns, turn, chat, call);
    this.#openWindows(turn, chat.id, call);
  }

  #openWindows(turn: Turn, chat_id: string, call: LlmCall): void {
    const { tool_window: tool_window_ns } = this.#turns.options;
    const lost_before = this.#turns.lost_count;
    const origin = { turn, chat_id, call, tool_window_ns, lost_before };
    for (const [position, tool] of (call.response?.tool_calls ?? []).entries()) {
      turn.tool_count++;
      if (turn.windows.length >= MAX_WINDOWS_PER_TURN) {
        const [oldest] = turn.windows.splice(0, 1);
        if (oldest !== undefined) this.#end.closeWindow(oldest, call.end_ns, true);
        this.#turns.counters.counted('correlate.tool_windows_evicted');
      }
      const window = openToolWindow(tool, position, origin);
      turn.windows.push(window);
      if (tool.id !== '') turn.scope.windows.set(tool.id, window);
    }
    this.#segments.explain(turn);
    this.#mcp.explain(turn);
    // The provider's own tools have run by the time their call is told.
    for (const message of call.response?.messages ?? []) {
      for (const [id, result] of toolResults(message.parts)) this.#close(turn.scope, id, result, call.end_ns);
    }
  }

  /** A request that carries a tool's result ends that tool's window; the turn it was open in goes on. */
  #closeAnswered(scope: Scope, call: LlmCall): Turn | undefined {
    let continued: Turn | undefined;
    if (scope.windows.size === 0) return undefined;
    for (const message of call.request.messages) {
      for (const [id, result] of toolResults(message.parts)) {
        continued = this.#close(scope, id, result, call.request_start_ns) ?? continued;
      }
    }
    return continued;
  }

  #close(scope: Scope, id: string, result: unknown, at_ns: bigint): Turn | undefined {
    const window = scope.windows.get(id);
    if (window === undefined) return undefined;
    window.result = result;
    this.#end.closeWindow(window, at_ns, false);
    return window.turn;
  }
}

/**
 * A request of the kind that the turn is about, after that was answered: each for itself, as a service makes them. What says
 * that it belongs to the same session, or trace, does.
 */
function isNextQuestion(call: LlmCall, turn: Turn): boolean {
  const { input, output } = turn;
  const is_answered = output?.error === undefined && output?.response?.tool_calls.length === 0;
  const { conversation_id } = call.request;
  const is_tied =
    (conversation_id !== undefined && conversation_id === turn.conversation_id) ||
    (call.traceparent !== undefined && traceIdOf(call.traceparent) === traceIdOf(turn.traceparent));
  const importance = importanceOf(call);
  if (!is_answered || is_tied || input === undefined || importance === 0) return false;
  // Of what was not seen, the kind is not known.
  return importance === importanceOf(input) || input.request.messages.length === 0;
}

/** W3C Trace Context, 3.2: version, trace id, parent id, flags. */
function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.split('-')[1];
}

/** What a turn is about is asked with tools; titles and the like are asked for without, on the side. */
function importanceOf({ request }: LlmCall): number {
  if (request.operation === 'embeddings') return 0;
  return request.tools.length > 0 ? 2 : 1;
}
