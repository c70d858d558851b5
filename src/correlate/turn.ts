import type { Activity } from '../model/activity.ts';
import type { LlmCall, Usage } from '../model/llm-call.ts';
import type { Caller } from './caller.ts';
import type { Chat } from './chat.ts';
import type { Process } from './process-tree.ts';
import type { Scope } from './scope.ts';
import type { ToolWindow } from './tool-window.ts';

/** No turn needs to last longer than so many times the time after which an idle one ends. */
export const LONG_TURN = 10n;

/**
 * From a user's prompt to the answer that calls no tool. Before its first call it is only expected: what it holds may
 * turn out to belong to no turn at all. A nested one is a part of its `outer` one.
 */
export interface Turn {
  /** Names the trace. A nested turn has its outer one's. */
  readonly turn_id: string;
  /** The id of its own activity. */
  readonly root_id: string;
  readonly scope: Scope;
  readonly outer: Turn | undefined;
  parent_id: string | undefined;
  caller: Caller | undefined;
  start_ns: bigint;
  /** The end of the last thing that ended in it. */
  last_ns: bigint;
  /** When something last happened in it, ended or not. */
  active_ns: bigint;
  /** When its last call ended. */
  answer_ns: bigint | undefined;
  is_ended: boolean;
  traceparent: string | undefined;
  tracestate: string | undefined;
  conversation_id: string | undefined;
  provider: string | undefined;
  usage: Usage;
  call_count: number;
  tool_count: number;
  /** Calls that have no end yet, by their ids. */
  readonly in_flight: Map<string, Chat>;
  error_type: string | undefined;
  input: LlmCall | undefined;
  output: LlmCall | undefined;
  left_out_count: number;
  noise_file_count: number;
  /** File activities given out. */
  file_count: number;
  /** A response with tool calls, or an answer, was there: what no tool call explains from now on was not asked for. */
  has_response: boolean;
  /** The answer of the model that came last. */
  latest_answer: { readonly chat_id: string; readonly end_ns: bigint } | undefined;
  windows: ToolWindow[];
  /** Those that have something to tell when it ends. */
  readonly processes: Set<Process>;
  readonly nested: Set<Turn>;
  /** Kept until it is known who calls; undefined: nothing is held back any more. */
  held: Activity[] | undefined;
  readonly lost_before: number;
}

export function createTurn(
  origin: Pick<Turn, 'turn_id' | 'root_id' | 'scope' | 'outer' | 'parent_id' | 'start_ns' | 'held' | 'lost_before'>,
): Turn {
  return {
    ...origin,
    caller: undefined,
    last_ns: origin.start_ns,
    active_ns: origin.start_ns,
    answer_ns: undefined,
    is_ended: false,
    traceparent: origin.outer?.traceparent,
    tracestate: origin.outer?.tracestate,
    conversation_id: undefined,
    provider: undefined,
    usage: {},
    call_count: 0,
    tool_count: 0,
    in_flight: new Map(),
    error_type: undefined,
    input: undefined,
    output: undefined,
    left_out_count: 0,
    noise_file_count: 0,
    file_count: 0,
    has_response: false,
    latest_answer: undefined,
    windows: [],
    processes: new Set(),
    nested: new Set(),
    held: origin.held,
  };
}

/** Nothing is asked of a model, and no tool runs: the user's turn to speak, as far as the protocol tells. */
export function isSettled(turn: Turn): boolean {
  return turn.in_flight.size === 0 && !turn.windows.some((window) => window.closed_ns === undefined);
}

export function addUsage(sum: Usage, more: Usage): Usage {
  const added: Record<string, number> = { ...sum };
  for (const [name, tokens] of Object.entries(more)) added[name] = (added[name] ?? 0) + tokens;
  return added;
}
