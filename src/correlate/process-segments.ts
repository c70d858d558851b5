import { matchCommand, shellScript } from './argument-match.ts';
import { isSingleCommand } from './command-words.ts';
import { type McpServing, type ServedPlace, servedPlace } from './mcp-serving.ts';
import { explainingPlace, lineagePlace, type Place, unexplainedPlace } from './placement.ts';
import { describeProcess, inheritedPlace, type ProcessSegment, placeOf } from './process-segment.ts';
import type { Process, ProcessTree } from './process-tree.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

/** Processes between an agent and what it is asked to run. */
const MAX_DEPTH = 64;
/** As many as there can be at once. */
const MAX_CHAIN = 32_768;
/** By a helper that was there before the call. */
const SERVED = ['window', 'argument'] as const;

/** Gives processes their places in turns, and tells their activities. */
export class ProcessSegments {
  readonly #tree: ProcessTree;
  readonly #turns: Turns;
  readonly #serving: McpServing;

  constructor(tree: ProcessTree, turns: Turns, serving: McpServing) {
    this.#tree = tree;
    this.#turns = turns;
    this.#serving = serving;
  }

  /** What a process does in the turn that goes on; undefined for a root, which is its turn's. */
  of(process: Process, at_ns: bigint): ProcessSegment | undefined {
    const { scope } = process;
    if (scope === undefined || scope.root === process) return undefined;
    // From the top: each begins under the one that started it, and there may be thousands.
    const missing: Process[] = [];
    for (let one: Process | undefined = process; one !== undefined; one = this.#parentOf(one)) {
      if (one.segment !== undefined || one === scope.root) break;
      missing.push(one);
      if (one.is_agent || missing.length > MAX_CHAIN) break;
    }
    for (const one of missing.reverse()) one.segment ??= this.#begin(one, at_ns, undefined);
    return process.segment;
  }

  /** Decides where a process hangs, now that it is known what it runs. */
  executed(process: Process, at_ns: bigint): void {
    const segment = this.of(process, at_ns);
    const parent = this.#parentOf(process);
    if (segment !== undefined && parent !== undefined && !parent.is_agent) showCommand(process, parent, segment);
    if (segment === undefined || process.is_agent || parent === undefined) return;
    if (segment.continues === undefined && !parent.is_agent && this.#isServed(process, parent)) return;
    if (segment.place?.window !== undefined || segment.continues !== undefined) return;
    if (!parent.is_agent) {
      this.#executedBelow(process, at_ns);
      return;
    }
    const place = this.#explain(process, parent, at_ns);
    if (place !== undefined) this.#claim(process, process, place);
  }

  /** What the server of a call runs, or one that runs for it, hangs under that call. */
  #isServed(process: Process, parent: Process): boolean {
    const { segment } = process;
    const found = this.#serving.workOf(parent, (evidence) => matchCommand(process.args, evidence));
    if (segment === undefined || found === undefined) return false;
    const served = servedPlace(found.work);
    if (segment.place === undefined && !found.is_inherited) {
      if (segment.turn !== served.turn) {
        if (segment.has_children) return false;
        this.moveTo(process, served.turn);
      }
      (process.segment ?? segment).place = served.place;
    }
    const { window } = served.place;
    if (window !== undefined) window.executable ??= process;
    return true;
  }

  /** What a process deep down runs may tell why the one that an agent started is there, or that it serves many calls. */
  #executedBelow(process: Process, at_ns: bigint): void {
    const { top, agent } = this.#topOf(process);
    if (agent === undefined || top.segment === undefined) return;
    const known = top.segment.place?.window;
    if (known !== undefined && known.closed_ns === undefined) return;
    const place = this.#explain(process, agent, at_ns);
    if (place?.window === undefined || place.window === known) return;
    if (!place.correlation.signals.includes('argument')) return;
    const is_older = top.start_ns < place.window.tool.complete_ns || known !== undefined;
    if (!is_older && top.segment.continues === undefined) this.#claim(top, process, place);
    else this.#claim(process, process, { ...place, correlation: { ...place.correlation, signals: SERVED } });
  }

  /** A response that is still on its way may be what asked for it. */
  isUndecided(process: Process): boolean {
    const { top, agent } = this.#topOf(process);
    const { segment, exec_ns, is_agent } = top;
    if (agent === undefined || is_agent || segment === undefined || exec_ns === undefined) return false;
    if (segment.place?.window !== undefined) return false;
    return segment.turn.in_flight.values().some((chat) => chat.start_ns < exec_ns);
  }

  /** The process that an agent started, which this one descends from or is. */
  #topOf(process: Process): { readonly top: Process; readonly agent: Process | undefined } {
    let top = process;
    let parent = this.#parentOf(process);
    for (let depth = 0; parent !== undefined && !parent.is_agent && depth < MAX_DEPTH; depth++) {
      top = parent;
      parent = this.#parentOf(parent);
    }
    return { top, agent: parent?.is_agent ? parent : undefined };
  }

  /** The tool call that asked for what a process runs, of those that `agent` may be carrying out. */
  #explain(process: Process, agent: Process, at_ns: bigint): Place | undefined {
    const { tool_window } = this.#turns.options;
    let best: Place | undefined;
    for (const turn of this.#turns.agentTurns(agent, at_ns)) {
      const place = explainingPlace(turn, at_ns, tool_window, (evidence) => matchCommand(process.args, evidence));
      if (place !== undefined && (best === undefined || place.correlation.score > best.correlation.score)) best = place;
    }
    return best;
  }

  /** Puts a process under the tool call that asked for what it, or one below it, runs. */
  #claim(process: Process, runner: Process, place: Place): void {
    const { window } = place;
    if (window === undefined || process.segment === undefined) return;
    if (process.segment.turn !== window.turn) {
      if (process.segment.has_children) return;
      this.moveTo(process, window.turn);
    }
    process.segment.place = place;
    window.claim_count++;
    window.executable ??= runner;
  }

  /** Looks again at processes that ran before the response which asked for them had ended. */
  explain(turn: Turn): void {
    const first = turn.windows.find((window) => window.chat_id === turn.windows.at(-1)?.chat_id);
    if (first === undefined) return;
    for (const process of turn.processes) {
      const { exec_ns, is_finished } = process;
      if (exec_ns === undefined || exec_ns < first.tool.complete_ns || is_finished) continue;
      this.executed(process, exec_ns);
    }
  }

  /** An agent's own process hangs under its turn's root, whatever started it; unless it already holds others elsewhere. */
  promote(process: Process, turn: Turn, at_ns: bigint): void {
    if (process.segment !== undefined && process.segment.turn !== turn) {
      if (process.segment.has_children) return;
      this.moveTo(process, turn);
    }
    const segment = this.of(process, at_ns);
    if (segment !== undefined) segment.place = lineagePlace(turn.root_id, undefined);
  }

  /** Puts a process into another turn, with all that hangs under it. Nothing of it may have been told. */
  moveTo(process: Process, turn: Turn): void {
    const { segment } = process;
    if (segment === undefined) return;
    process.segment = this.#begin(process, segment.start_ns, turn);
    process.segment.noise_file_count = segment.noise_file_count;
    process.segment.left_out_count = segment.left_out_count;
    takeAlong(process, segment.turn, turn);
  }

  /** What runs on when a nested turn ends is still in the same trace, and in the same place. */
  moveOut(process: Process, nested: Turn, outer: Turn): void {
    if (process.segment?.turn === nested) process.segment.turn = outer;
    takeAlong(process, nested, outer);
    outer.processes.add(process);
  }

  /** Tells the activity of a process that has exited, or whose turn ends before it. */
  tell(process: Process, end_ns: bigint, open: boolean): void {
    const { segment } = process;
    if (segment === undefined) return;
    const { id, turn, start_ns, continues, lost_before } = segment;
    const { parent_id } = placeOf(segment);
    const telling = { id, parent_id, start_ns, end_ns, open, continues, lost_before };
    this.#turns.tell(turn, telling, describeProcess(process, segment));
    process.continues = open ? id : undefined;
  }

  #begin(process: Process, at_ns: bigint, wanted: Turn | undefined): ProcessSegment {
    const served = this.#servedFrom(process, at_ns);
    const turn = wanted ?? served?.turn ?? this.#turnOf(process, at_ns);
    const started_ns = process.exec_ns ?? process.start_ns;
    const below = this.#below(process, turn, at_ns);
    const segment: ProcessSegment = {
      id: `${turn.turn_id}/process/${process.id}`,
      turn,
      start_ns: process.continues === undefined && started_ns < at_ns ? started_ns : at_ns,
      continues: process.continues,
      place: turn === served?.turn ? served.place : undefined,
      below,
      fallback: this.#fallback(process, turn, at_ns),
      has_children: false,
      noise_file_count: 0,
      left_out_count: 0,
      lost_before: this.#turns.lost_count,
    };
    turn.processes.add(process);
    return segment;
  }

  /** The call that a process was started for, as far as that is clear when it starts. */
  #servedFrom(process: Process, at_ns: bigint): ServedPlace | undefined {
    if (process.is_agent || process.continues !== undefined || process.start_ns < at_ns) return undefined;
    const parent = this.#parentOf(process);
    return parent === undefined ? undefined : this.#serving.placeOf(parent);
  }

  #turnOf(process: Process, at_ns: bigint): Turn {
    const own = process.caller?.outer === undefined ? this.#turns.agentTurn(process, at_ns) : undefined;
    if (own !== undefined) return own;
    const parent = this.#parentOf(process);
    const turn = parent === undefined ? undefined : this.#turns.agentTurn(parent, at_ns);
    if (turn !== undefined) return turn;
    const segment = parent === undefined ? undefined : this.of(parent, at_ns);
    if (segment !== undefined && !segment.turn.is_ended) return segment.turn;
    if (process.scope === undefined) throw new Error('only processes of a scope have turns');
    return this.#turns.current(process.scope, at_ns);
  }

  #below(process: Process, turn: Turn, at_ns: bigint): ProcessSegment | undefined {
    const parent = this.#parentOf(process);
    if (process.is_agent && process.caller?.outer === undefined) return undefined;
    if (parent === undefined || this.#turns.agentTurn(parent, at_ns) !== undefined) return undefined;
    const segment = this.of(parent, at_ns);
    if (segment?.turn !== turn) return undefined;
    segment.has_children = true;
    return segment;
  }

  #fallback(process: Process, turn: Turn, at_ns: bigint): Place {
    if (process.is_agent && process.caller?.outer === undefined) return lineagePlace(turn.root_id, undefined);
    const parent = this.#parentOf(process);
    if (process.continues !== undefined || parent === undefined) return lineagePlace(turn.root_id, undefined);
    return unexplainedPlace(turn, at_ns);
  }

  /** The process that started it, as long as that is known in the same scope. */
  #parentOf(process: Process): Process | undefined {
    const parent = this.#tree.parentOf(process);
    if (parent?.scope !== process.scope) return undefined;
    return parent?.is_finished && parent.segment === undefined && !parent.is_agent ? undefined : parent;
  }
}

/** Where a process's own effects go that have no other place: under it, or where it is an agent under its turn. */
export function ownPlace(process: Process, turn: Turn): Place {
  const { segment, is_agent, caller } = process;
  if (segment === undefined || segment.turn !== turn) return lineagePlace(turn.root_id, undefined);
  if (is_agent && caller?.outer === undefined) return lineagePlace(turn.root_id, undefined);
  segment.has_children = true;
  return inheritedPlace(segment);
}

/** The only command of a script says more of a tool call than the shell that starts it. */
function showCommand(process: Process, shell: Process, segment: ProcessSegment): void {
  const { window } = placeOf(segment);
  if (window?.executable === shell && isSingleCommand(shellScript(shell.args) ?? ';')) window.executable = process;
}

/** What hangs under a process's own activity goes where that goes. */
function takeAlong(process: Process, from: Turn, to: Turn): void {
  const goesAlong = (one: { readonly turn: Turn | undefined; readonly place: Place | undefined }) =>
    one.turn === from && one.place === undefined;
  for (const fold of process.files.values()) if (goesAlong(fold)) fold.turn = to;
  for (const fold of process.connections.values()) if (goesAlong(fold)) fold.turn = to;
  for (const socket of process.sockets.values()) if (goesAlong(socket)) socket.turn = to;
}
