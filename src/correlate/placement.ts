import type { Correlation } from '../model/activity.ts';
import type { ArgumentMatch } from './argument-match.ts';
import type { ToolEvidence } from './tool-evidence.ts';
import type { ToolWindow } from './tool-window.ts';
import type { Turn } from './turn.ts';

/** What an effect hangs under, and why. */
export interface Place {
  readonly parent_id: string;
  readonly correlation: Correlation;
  /** The tool call that explains it, at any depth. */
  readonly window: ToolWindow | undefined;
}

/** Under the process that does it, or that started it. */
export function lineagePlace(parent_id: string, window: ToolWindow | undefined): Place {
  return { parent_id, window, correlation: describe(['lineage'], 1, undefined, true) };
}

/** Where a process goes that no tool call explains: the model's latest answer before it, or the turn itself. */
export function unexplainedPlace(turn: Turn, at_ns: bigint): Place {
  const answer = turn.latest_answer;
  const has_chat = answer !== undefined && answer.end_ns <= at_ns;
  return {
    parent_id: has_chat ? answer.chat_id : turn.root_id,
    window: undefined,
    correlation: describe(['lineage'], has_chat ? 0.5 : 1, undefined, !turn.has_response),
  };
}

/** The same for what an agent does itself: while it asks the model something, that is about no answer. */
export function unexplainedEffectPlace(turn: Turn, at_ns: bigint): Place {
  const place = unexplainedPlace(turn, at_ns);
  return turn.in_flight.size === 0 ? place : { ...place, parent_id: turn.root_id };
}

/**
 * The tool call of a turn that asked for an effect: the one whose arguments fit best; of equals one that is still open,
 * then one that explains less so far, then the first. A single call that speaks of no command or path explains what
 * happens while it is open. undefined: none explains it.
 */
export function explainingPlace(
  turn: Turn,
  at_ns: bigint,
  grace_ns: bigint,
  match: (evidence: ToolEvidence) => ArgumentMatch | undefined,
): Place | undefined {
  let best: { readonly window: ToolWindow; readonly match: ArgumentMatch } | undefined;
  let open_count = 0;
  let open: ToolWindow | undefined;
  for (const window of turn.windows) {
    if (window.tool.complete_ns > at_ns) continue;
    const is_open = isOpenAt(window, at_ns);
    if (is_open) {
      open = window;
      open_count++;
    } else if (window.closed_ns !== undefined && window.closed_ns + grace_ns < at_ns) continue;
    const found = match(window.evidence);
    if (found === undefined) continue;
    if (best === undefined || isBetter(found, window, best, at_ns)) best = { window, match: found };
  }
  if (best !== undefined) {
    const { window, match: found } = best;
    const correlation = describe(['lineage', 'window', 'argument'], found.score, found.matched, true);
    return { parent_id: window.id, window, correlation };
  }
  // What an MCP server carries out the agent does not do itself.
  if (open === undefined || open_count !== 1 || open.evidence.is_specific || open.mcp !== undefined) return undefined;
  const correlation = describe(['lineage', 'window'], 0.5, undefined, true);
  return { parent_id: open.id, window: open, correlation };
}

function isBetter(
  found: ArgumentMatch,
  window: ToolWindow,
  best: { readonly window: ToolWindow; readonly match: ArgumentMatch },
  at_ns: bigint,
): boolean {
  if (found.score !== best.match.score) return found.score > best.match.score;
  const is_open = isOpenAt(window, at_ns);
  if (is_open !== isOpenAt(best.window, at_ns)) return is_open;
  return window.claim_count < best.window.claim_count;
}

function isOpenAt({ closed_ns }: ToolWindow, at_ns: bigint): boolean {
  return closed_ns === undefined || closed_ns >= at_ns;
}

function describe(
  signals: Correlation['signals'],
  score: number,
  matched: string | undefined,
  requested: boolean,
): Correlation {
  return { signals, score, matched, requested };
}
