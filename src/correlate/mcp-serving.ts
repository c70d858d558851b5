import type { Correlation } from '../model/activity.ts';
import type { ProcessKey } from '../model/event.ts';
import type { McpCall } from '../model/mcp-call.ts';
import type { ArgumentMatch } from './argument-match.ts';
import type { Place } from './placement.ts';
import type { Process, ProcessTree } from './process-tree.ts';
import { type ToolEvidence, toolEvidence } from './tool-evidence.ts';
import type { ToolWindow } from './tool-window.ts';
import type { Turn } from './turn.ts';

/** A call of an MCP server that goes on, or of which it is not decided yet whether a model asked for it. */
export interface McpWork {
  readonly id: string;
  call: McpCall;
  readonly process: Process;
  turn: Turn;
  /** Where its own activity hangs, if it gets one. */
  place: Place;
  /** The tool call of a model that it carries out: then it gets none. */
  window: ToolWindow | undefined;
  evidence: ToolEvidence | undefined;
  /** It is sent because of another one that goes on. */
  is_onward: boolean;
  readonly lost_before: number;
}

type Match = (evidence: ToolEvidence) => ArgumentMatch | undefined;

/** What a server does for a call. */
export interface ServedPlace {
  readonly turn: Turn;
  readonly place: Place;
}

/** Others only look something up; what a server does when it starts is its own doing. */
const SERVED = /^(?:tools\/call|resources\/|prompts\/|completion\/)/;
const MAX_DEPTH = 64;

/** The calls that are served at the moment, by the process that serves them. */
export class McpServing {
  readonly #tree: ProcessTree;
  readonly #by_server = new Map<ProcessKey, Set<McpWork>>();

  constructor(tree: ProcessTree) {
    this.#tree = tree;
  }

  begin(work: McpWork): void {
    const { server_process, sender, method } = work.call;
    if (server_process === undefined || sender !== 'client' || !SERVED.test(method)) return;
    const works = this.#by_server.get(server_process) ?? new Set();
    this.#by_server.set(server_process, works.add(work));
  }

  end(work: McpWork): void {
    const { server_process } = work.call;
    if (server_process === undefined) return;
    const works = this.#by_server.get(server_process);
    works?.delete(work);
    if (works?.size === 0) this.#by_server.delete(server_process);
  }

  /** Where an effect of a process hangs because of a call that it serves; undefined for what hangs under the process. */
  placeOf(process: Process, match?: Match): ServedPlace | undefined {
    const found = this.workOf(process, match);
    return found === undefined || found.is_inherited ? undefined : servedPlace(found.work);
  }

  /**
   * The call that a process works for: it, or what started it, serves exactly one, or one whose arguments fit.
   * `is_inherited`: the process began during the call, which is where it, or what started it, hangs.
   */
  workOf(
    process: Process,
    match: Match = () => undefined,
  ): { readonly work: McpWork; readonly is_inherited: boolean } | undefined {
    if (this.#by_server.size === 0) return undefined;
    let youngest_ns = -1n;
    let one: Process | undefined = process;
    for (let depth = 0; one !== undefined && depth < MAX_DEPTH; depth++) {
      const works = this.#by_server.get(one.key);
      const work = works === undefined ? undefined : choose([...works], match);
      if (work !== undefined) return { work, is_inherited: youngest_ns >= work.call.start_ns };
      if (one.start_ns > youngest_ns) youngest_ns = one.start_ns;
      one = this.#tree.parentOf(one);
    }
    return undefined;
  }
}

function choose(works: readonly McpWork[], match: Match): McpWork | undefined {
  const [first] = works;
  if (works.length === 1) return first;
  let best: { readonly work: McpWork; readonly score: number } | undefined;
  for (const work of works) {
    work.evidence ??= toolEvidence(work.call.arguments);
    const score = match(work.evidence)?.score ?? 0;
    if (score > (best?.score ?? 0)) best = { work, score };
  }
  return best?.work;
}

/** Under a call; which span that is may be decided later. */
export function servedPlace(work: McpWork): ServedPlace {
  const place: Place = {
    get parent_id() {
      return work.window?.id ?? work.id;
    },
    get window() {
      return work.window ?? work.place.window;
    },
    get correlation(): Correlation {
      const requested = work.window !== undefined || work.place.correlation.requested;
      return { signals: ['lineage', 'window'], score: 1, matched: undefined, requested };
    },
  };
  return { turn: work.turn, place };
}
