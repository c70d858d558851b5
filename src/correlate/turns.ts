import type { Counters } from '../health/counters.ts';
import type { Activity, ActivityBase } from '../model/activity.ts';
import type { Caller } from './caller.ts';
import type { CorrelateOptions } from './options.ts';
import type { Process } from './process-tree.ts';
import { agentOf, nestedAgentOf, type Scope } from './scope.ts';
import { createTurn, type Turn } from './turn.ts';

/** When, and under what, an activity goes out. */
export interface Telling {
  readonly id: string;
  readonly parent_id: string | undefined;
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  readonly open: boolean;
  readonly continues: string | undefined;
  readonly lost_before: number;
}

type Particular<A> = A extends Activity ? Omit<A, keyof ActivityBase> : never;

/** Activities that wait for the first call of their turn. */
const MAX_HELD = 4096;

/** All turns that go on, and the way out for what happens in them. */
export class Turns {
  readonly options: CorrelateOptions;
  readonly counters: Counters;
  readonly open = new Set<Turn>();
  /** Records the kernel lost so far. */
  lost_count = 0;
  readonly #emit: (activity: Activity) => void;

  constructor(options: CorrelateOptions & { readonly counters: Counters }, emit: (activity: Activity) => void) {
    this.options = options;
    this.counters = options.counters;
    this.#emit = emit;
  }

  /** The turn that what happens now in a scope belongs to; one that waits for its first call where there is none. */
  current(scope: Scope, at_ns: bigint): Turn {
    const { current } = scope;
    if (current !== undefined && !current.is_ended) return current;
    const turn = this.#create(scope, undefined, at_ns);
    scope.current = turn;
    return turn;
  }

  /** A new turn of a caller; the one that was waiting for a call where there is such. */
  begin(caller: Caller, outer: { readonly turn: Turn; readonly parent_id: string } | undefined, at_ns: bigint): Turn {
    const { scope } = caller.process;
    if (scope === undefined) throw new Error('a caller is always in a scope');
    const waiting = outer === undefined && scope.current?.is_ended === false ? scope.current : undefined;
    const turn = waiting?.caller === undefined && waiting !== undefined ? waiting : this.#create(scope, outer, at_ns);
    turn.caller = caller;
    if (at_ns < turn.start_ns) turn.start_ns = at_ns;
    return turn;
  }

  /** The turn whose tool calls may explain what a process does itself, or starts; undefined for one that is no agent. */
  agentTurn(process: Process, at_ns: bigint): Turn | undefined {
    if (process.scope === undefined) return undefined;
    const { caller } = process;
    if (caller?.turn !== undefined && !caller.turn.is_ended) return caller.turn;
    if (caller?.outer !== undefined || !process.is_agent) return undefined;
    return this.current(process.scope, at_ns);
  }

  /** All of them: a caller may have several conversations at once. */
  *agentTurns(process: Process, at_ns: bigint): Generator<Turn> {
    const latest = this.agentTurn(process, at_ns);
    if (latest === undefined) return;
    yield latest;
    if (latest.scope.turns.size === 1) return;
    for (const turn of latest.scope.turns) {
      if (turn !== latest && turn.outer === latest.outer && (turn.caller === process.caller || !process.caller))
        yield turn;
    }
  }

  tell(turn: Turn, telling: Telling, particular: Particular<Activity>): void {
    const { lost_before, ...base } = telling;
    if (base.start_ns < turn.start_ns) turn.start_ns = base.start_ns;
    if (!base.open) {
      for (let one: Turn | undefined = turn; one !== undefined; one = one.outer) {
        if (base.end_ns > one.last_ns) one.last_ns = base.end_ns;
      }
    }
    const is_forward = base.end_ns >= base.start_ns;
    const end_ns = is_forward ? base.end_ns : base.start_ns;
    const { turn_id, traceparent, tracestate, conversation_id, scope, outer, caller } = turn;
    const lost_events = this.lost_count - lost_before;
    const place = {
      ...base,
      end_ns,
      turn_id,
      agent: outer !== undefined && caller !== undefined ? nestedAgentOf(caller) : agentOf(scope),
      traceparent,
      tracestate,
      conversation_id,
      lost_events,
    };
    const activity = { ...place, ...particular } as Activity;
    const { held } = turn;
    if (held === undefined) {
      this.#emit(activity);
      return;
    }
    held.push(activity);
    if (held.length <= MAX_HELD) return;
    this.counters.counted('correlate.told_before_first_call', held.length);
    this.release(turn);
  }

  /** Gives out what was held back, as part of the trace that it is known to be part of by now; `place` may move it. */
  release(turn: Turn, place: (activity: Activity) => string | undefined = (activity) => activity.parent_id): void {
    const { held, scope } = turn;
    turn.held = undefined;
    join(turn, scope.root.facts?.environment);
    const { traceparent, tracestate, conversation_id } = turn;
    for (const activity of held ?? []) {
      this.#emit({ ...activity, parent_id: place(activity), traceparent, tracestate, conversation_id });
    }
  }

  #create(scope: Scope, outer: { readonly turn: Turn; readonly parent_id: string } | undefined, at_ns: bigint): Turn {
    const number = ++scope.turn_count;
    const turn_id = outer?.turn.turn_id ?? `${scope.root.key}/turn/${number}`;
    const turn = createTurn({
      turn_id,
      root_id: outer === undefined ? `${turn_id}/root` : `${turn_id}/agent/${number}`,
      scope,
      outer: outer?.turn,
      parent_id: outer?.parent_id,
      start_ns: at_ns,
      held: outer === undefined ? [] : undefined,
      lost_before: this.lost_count,
    });
    outer?.turn.nested.add(turn);
    scope.turns.add(turn);
    this.open.add(turn);
    return turn;
  }
}

/** Makes a turn part of the trace of what started the agent, unless it is part of one. */
function join(turn: Turn, environment: Readonly<Record<string, string>> | undefined): void {
  if (turn.traceparent !== undefined || environment?.TRACEPARENT === undefined) return;
  turn.traceparent = environment.TRACEPARENT;
  turn.tracestate = environment.TRACESTATE;
}
