import type { ActivityBase, AgentActivity } from '../model/activity.ts';
import { tellChat } from './chat.ts';
import type { FileFolds } from './file-folds.ts';
import type { McpCalls } from './mcp-calls.ts';
import type { NetworkFolds } from './network-folds.ts';
import { describeProcess } from './process-segment.ts';
import type { ProcessSegments } from './process-segments.ts';
import type { Process, ProcessTree } from './process-tree.ts';
import { describeTool, type ToolWindow } from './tool-window.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

/** Ends processes, tool windows and turns: tells what there is still to be told of them, their own activity last. */
export class TurnEnd {
  readonly #tree: ProcessTree;
  readonly #turns: Turns;
  readonly #segments: ProcessSegments;
  readonly #files: FileFolds;
  readonly #network: NetworkFolds;
  readonly #mcp: McpCalls;

  constructor(
    tree: ProcessTree,
    turns: Turns,
    segments: ProcessSegments,
    files: FileFolds,
    network: NetworkFolds,
    mcp: McpCalls,
  ) {
    this.#tree = tree;
    this.#turns = turns;
    this.#segments = segments;
    this.#files = files;
    this.#network = network;
    this.#mcp = mcp;
  }

  /** Tells all of a process that has exited. */
  finishProcess(process: Process): void {
    const { scope, exit } = process;
    if (process.is_finished || scope === undefined || exit === undefined) return;
    // One that never executed anything, and did nothing else that could be seen, has its place only from now.
    this.#segments.of(process, exit.ktime_ns);
    this.#tree.finished(process);
    for (const turn of scope.turns) this.#flush(process, turn, exit.ktime_ns);
    this.#segments.tell(process, exit.ktime_ns, false);
  }

  /** Tells what is known of a process that is to be forgotten. */
  forgetProcess(process: Process, at_ns: bigint): void {
    for (const turn of [...(process.scope?.turns ?? [])]) this.#leave(process, turn, at_ns);
  }

  closeWindow(window: ToolWindow, end_ns: bigint, open: boolean): void {
    if (window.closed_ns !== undefined) return;
    window.closed_ns = end_ns;
    const { id, chat_id: parent_id, tool, turn, lost_before } = window;
    if (turn.scope.windows.get(tool.id) === window) turn.scope.windows.delete(tool.id);
    const telling = { id, parent_id, start_ns: tool.complete_ns, end_ns, open, continues: undefined, lost_before };
    this.#turns.tell(turn, telling, describeTool(window));
  }

  endTurn(turn: Turn, end_ns: bigint, is_cut: boolean): void {
    if (turn.is_ended) return;
    for (const nested of [...turn.nested]) this.endTurn(nested, end_ns, is_cut);
    this.#mcp.leave(turn, end_ns);
    for (const process of [...turn.processes]) this.#leave(process, turn, end_ns);
    const open = is_cut && (turn.in_flight.size > 0 || turn.windows.some((window) => window.closed_ns === undefined));
    for (const window of turn.windows) this.closeWindow(window, end_ns, true);
    for (const chat of turn.in_flight.values()) tellChat(this.#turns, turn, chat, chat.call, end_ns);
    turn.is_ended = true;
    turn.scope.turns.delete(turn);
    this.#turns.open.delete(turn);
    turn.outer?.nested.delete(turn);
    if (turn.scope.current === turn) turn.scope.current = undefined;
    this.#tellRoot(turn, end_ns, open);
    if (turn.caller?.turn === turn) turn.caller.turn = undefined;
    if (turn.scope.is_ended && turn.scope.turns.size === 0) this.#tree.finished(turn.scope.root);
  }

  #tellRoot(turn: Turn, end_ns: bigint, open: boolean): void {
    const { scope, root_id: id, start_ns, lost_before, parent_id } = turn;
    const { root } = scope;
    this.#turns.release(turn);
    const is_agent = turn.caller !== undefined;
    const rest = { id, parent_id, start_ns, continues: undefined, lost_before };
    if (is_agent) {
      const last_ns = open || turn.last_ns < turn.start_ns ? end_ns : turn.last_ns;
      this.#turns.tell(turn, { ...rest, end_ns: last_ns, open }, describeTurn(turn));
      return;
    }
    const { exit } = root;
    const segment = {
      id,
      turn,
      start_ns,
      continues: undefined,
      place: undefined,
      below: undefined,
      fallback: { parent_id: '', window: undefined, correlation: ROOT_CORRELATION },
      has_children: true,
      noise_file_count: turn.noise_file_count,
      left_out_count: turn.left_out_count,
      lost_before,
    };
    const began_ns = !scope.has_called && root.start_ns < start_ns ? root.start_ns : start_ns;
    const exit_ns = exit?.ktime_ns ?? end_ns;
    // What it left behind may end after it.
    if (exit_ns > turn.last_ns) turn.last_ns = exit_ns;
    const goes_on = exit === undefined || this.#tree.isAlive(scope);
    const { root_continues: continues } = scope;
    const telling = { ...rest, continues, start_ns: began_ns, end_ns: turn.last_ns, open: goes_on };
    this.#turns.tell(turn, telling, describeProcess(root, segment));
    scope.root_continues = goes_on ? id : undefined;
  }

  /** What a process did in a turn that ends is told; if it runs on, it may go on in another one. */
  #leave(process: Process, turn: Turn, end_ns: bigint): void {
    if (process.exit !== undefined) this.finishProcess(process);
    else if (turn.outer !== undefined) this.#segments.moveOut(process, turn, turn.outer);
    this.#flush(process, turn, end_ns);
    turn.processes.delete(process);
    if (process.segment?.turn === turn) {
      if (!process.is_finished) this.#segments.tell(process, end_ns, true);
      process.segment = undefined;
    }
    if (process.is_finished) this.#tree.delete(process);
  }

  #flush(process: Process, turn: Turn, end_ns: bigint): void {
    this.#files.flush(process, turn, end_ns);
    this.#network.flush(process, turn, end_ns);
  }
}

const ROOT_CORRELATION = { signals: ['lineage'], score: 1, matched: undefined, requested: true } as const;

function describeTurn(turn: Turn): Omit<AgentActivity, keyof ActivityBase> {
  const { provider, usage, error_type, input, output, left_out_count, noise_file_count } = turn;
  return {
    kind: 'invoke_agent',
    provider,
    usage,
    llm_call_count: turn.call_count,
    tool_call_count: turn.tool_count,
    error_type,
    input,
    output,
    left_out_count,
    noise_file_count,
  };
}
