import type { ActivityBase, McpActivity } from '../model/activity.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { McpCall } from '../model/mcp-call.ts';
import { isSameTool, matchMcpTool } from './mcp-match.ts';
import { type McpServing, type McpWork, type ServedPlace, servedPlace } from './mcp-serving.ts';
import type { NetworkFolds } from './network-folds.ts';
import { explainingPlace, lineagePlace, unexplainedEffectPlace } from './placement.ts';
import { ownPlace, type ProcessSegments } from './process-segments.ts';
import type { Process, ProcessTree } from './process-tree.ts';
import type { ToolWindow } from './tool-window.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

const MAX_WORKS = 4096;
/** A name alone is enough only where nothing else has it. */
const SURE = 0.9;

/** Joins calls of MCP servers with the tool calls of models that they carry out; what remains is told by itself. */
export class McpCalls {
  readonly #tree: ProcessTree;
  readonly #turns: Turns;
  readonly #segments: ProcessSegments;
  readonly #network: NetworkFolds;
  readonly #serving: McpServing;
  /** Without an end, or undecided. */
  readonly #works = new Map<string, McpWork>();
  readonly #undecided = new Set<McpWork>();
  /** Calls of turns that ended before they did. */
  readonly #left = new BoundedMap<string, boolean>(MAX_WORKS);

  constructor(tree: ProcessTree, turns: Turns, segments: ProcessSegments, network: NetworkFolds, serving: McpServing) {
    this.#tree = tree;
    this.#turns = turns;
    this.#segments = segments;
    this.#network = network;
    this.#serving = serving;
  }

  /** Some call may still turn out to be what a model asked for: what happened because of it has to wait. */
  isUndecided({ scope }: Process): boolean {
    return this.#undecided.values().some(({ process }) => process.scope === scope);
  }

  /** Where the turns of an agent hang that serves a call. */
  servedPlace(process: Process): ServedPlace | undefined {
    const found = this.#serving.workOf(process);
    if (found === undefined || found.is_inherited || this.#undecided.has(found.work)) return undefined;
    return servedPlace(found.work);
  }

  push(call: McpCall): void {
    const known = this.#works.get(call.call_id);
    if (known === undefined && this.#left.get(call.call_id) === true) {
      this.#turns.counters.counted('correlate.mcp_calls_after_turn');
      return;
    }
    const process = known?.process ?? this.#tree.get(call.process);
    if (process === undefined || this.#tree.scopeOf(process) === undefined || process.is_finished) {
      this.#turns.counters.lost('correlate.mcp_call_of_nobody');
      return;
    }
    const work = known ?? this.#begin(process, call);
    if (work.call.server_process === undefined && call.server_process !== undefined) {
      work.call = call;
      this.#serving.begin(work);
    }
    work.call = call;
    if (call.transport !== 'pipe' && process.is_agent && !work.turn.is_ended) {
      this.#network.carriesCall(process, call.socket_id, work.turn, call.server_address);
    }
    if (call.end_ns > work.turn.active_ns) work.turn.active_ns = call.end_ns;
    if (call.phase === 'end') this.#finish(work);
  }

  /** Windows were opened: looks again at calls that came before the response which asked for them had ended. */
  explain(turn: Turn): void {
    for (const work of [...this.#undecided]) {
      if (work.turn !== turn) continue;
      if (work.window === undefined) this.#claim(work);
      if (work.window === undefined && this.#mayBeAskedFor(work)) continue;
      this.#undecided.delete(work);
      if (work.call.phase !== 'end') continue;
      this.#works.delete(work.call.call_id);
      if (work.window === undefined) this.#tell(work, work.call.end_ns, false);
    }
  }

  /** A turn ends: what goes on in it is told as far as it is known. */
  leave(turn: Turn, end_ns: bigint): void {
    for (const work of [...this.#works.values()]) if (work.turn === turn) this.#leave(work, end_ns);
  }

  #begin(process: Process, call: McpCall): McpWork {
    const at_ns = call.start_ns;
    const latest = this.#turns.agentTurn(process, at_ns);
    const turn = latest ?? this.#segments.of(process, at_ns)?.turn;
    if (turn === undefined) throw new Error('only a root has no segment, and that is an agent');
    const work: McpWork = {
      id: `${turn.turn_id}/mcp/${call.call_id}`,
      call,
      process,
      turn,
      place: lineagePlace(turn.root_id, undefined),
      window: undefined,
      evidence: undefined,
      is_onward: false,
      lost_before: this.#turns.lost_count,
    };
    const served = this.#served(process, call, latest !== undefined);
    const { turn: at_turn, place } = served ?? this.#place(process, call, turn, latest !== undefined);
    work.is_onward = served !== undefined;
    work.turn = at_turn;
    work.place = place;
    this.#works.set(call.call_id, work);
    this.#makeRoom();
    this.#claim(work);
    if (work.window === undefined && this.#mayBeAskedFor(work)) this.#undecided.add(work);
    this.#serving.begin(work);
    return work;
  }

  /** Under the call that goes on, which its server, or a client that is a server itself, sends it for. */
  #served(process: Process, call: McpCall, is_agent: boolean): ServedPlace | undefined {
    const asking = call.sender === 'server' ? this.#openOf(call.dialogue_id) : undefined;
    if (asking !== undefined) return servedPlace(asking);
    return is_agent ? undefined : this.#serving.placeOf(process);
  }

  /** Where it hangs when it is no tool call of a model's. */
  #place(process: Process, call: McpCall, turn: Turn, is_agent: boolean): ServedPlace {
    const at_ns = call.start_ns;
    if (!is_agent) return { turn, place: ownPlace(process, turn) };
    const subject = call.resource_uri ?? call.prompt_name ?? call.tool_name;
    const { tool_window } = this.#turns.options;
    for (const one of this.#turns.agentTurns(process, at_ns)) {
      const place = explainingPlace(one, at_ns, tool_window, ({ strings }) =>
        subject !== undefined && strings.includes(subject) ? { score: SURE, matched: subject } : undefined,
      );
      if (place !== undefined) return { turn: one, place };
    }
    const place = unexplainedEffectPlace(turn, at_ns);
    if (call.method === 'tools/call') return { turn, place };
    return { turn, place: { ...place, correlation: { ...place.correlation, requested: true } } };
  }

  /** The call of a client during which its server asks for something. */
  #openOf(dialogue_id: string): McpWork | undefined {
    let latest: McpWork | undefined;
    for (const work of this.#works.values()) {
      const { call } = work;
      if (call.dialogue_id === dialogue_id && call.sender === 'client' && call.phase === 'request') latest = work;
    }
    return latest;
  }

  /** Finds the tool call of a model that it carries out. Each is carried out once. */
  #claim(work: McpWork): void {
    const { call, process, turn } = work;
    if (call.method !== 'tools/call' || work.is_onward) return;
    const turns = new Set([turn, ...this.#turns.agentTurns(process, call.start_ns)]);
    let best: { readonly window: ToolWindow; readonly score: number } | undefined;
    let named_count = 0;
    for (const window of [...turns].flatMap(({ windows }) => windows)) {
      // One that is closed has been told.
      if (window.closed_ns !== undefined || window.tool.complete_ns > call.start_ns) continue;
      if (window.mcp !== undefined && !asksForInput(window.mcp.call)) continue;
      const score = matchMcpTool(window, call);
      if (score > 0) named_count++;
      if (score > (best?.score ?? 0)) best = { window, score };
    }
    if (best === undefined || (best.score < SURE && named_count > 1)) return;
    work.window = best.window;
    work.turn = best.window.turn;
    best.window.mcp = work;
    best.window.claim_count++;
  }

  #finish(work: McpWork): void {
    this.#serving.end(work);
    if (this.#undecided.has(work) && this.#mayBeAskedFor(work)) return;
    this.#undecided.delete(work);
    this.#works.delete(work.call.call_id);
    if (work.window === undefined) this.#tell(work, work.call.end_ns, false);
  }

  /** An answer that is not complete may ask for it. */
  #mayBeAskedFor({ turn, call }: McpWork): boolean {
    return turn.in_flight.values().some((chat) => chat.start_ns < call.start_ns);
  }

  #makeRoom(): void {
    const [oldest] = this.#works.values();
    if (this.#works.size <= MAX_WORKS || oldest === undefined) return;
    this.#turns.counters.lost('correlate.mcp_calls_evicted');
    this.#leave(oldest, oldest.turn.active_ns);
  }

  #leave(work: McpWork, end_ns: bigint): void {
    const { call } = work;
    this.#works.delete(call.call_id);
    this.#serving.end(work);
    this.#undecided.delete(work);
    const open = call.phase !== 'end';
    if (open) this.#left.set(call.call_id, true);
    if (work.window === undefined) this.#tell(work, open ? end_ns : call.end_ns, open);
  }

  #tell(work: McpWork, end_ns: bigint, open: boolean): void {
    const { id, turn, place, call, lost_before } = work;
    const telling = {
      id,
      parent_id: place.parent_id,
      start_ns: call.start_ns,
      end_ns,
      open,
      continues: undefined,
      lost_before,
    };
    this.#turns.tell(turn, telling, describeMcp(work));
  }
}

function describeMcp({ call, place, is_onward }: McpWork): Omit<McpActivity, keyof ActivityBase> {
  const { window, correlation } = place;
  const is_repeated = window !== undefined && isSameTool(window.tool.name, call.tool_name ?? '');
  return { kind: 'mcp', call, is_part: is_onward || is_repeated, correlation };
}

/** The server wants to know more, and is asked again with that (MCP 2026-07-28): it is still the same tool call. */
function asksForInput({ result }: McpCall): boolean {
  return (
    typeof result === 'object' && result !== null && 'resultType' in result && result.resultType === 'input_required'
  );
}
