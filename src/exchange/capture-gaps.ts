import type { Counters } from '../health/counters.ts';
import type { CallError, CaptureGap } from '../model/llm-call.ts';

export interface CaptureGaps {
  /** Bytes of the same reason and detail add up. */
  add(reason: CaptureGap['reason'], bytes: number, detail: string): void;
  list(): readonly CaptureGap[];
}

/** Collects what is wrong with the capture of one call. */
export function createCaptureGaps(): CaptureGaps {
  const gaps = new Map<string, CaptureGap>();
  return {
    add(reason, bytes, detail) {
      const key = `${reason}/${detail}`;
      gaps.set(key, { reason, detail, bytes: bytes + (gaps.get(key)?.bytes ?? 0) });
    },
    list: () => [...gaps.values()],
  };
}

/** It is missing for us alone: what was cut or malformed was so for the agent too. */
export function isOurLoss(reason: CaptureGap['reason']): boolean {
  return reason !== 'cut' && reason !== 'malformed';
}

/** Counts an LLM call that ended, and what is wrong with its capture. */
export function countCall(counters: Counters, error: CallError | undefined, gaps: readonly CaptureGap[]): void {
  counters.counted(error === undefined ? 'exchange.llm_calls' : 'exchange.llm_calls_failed');
  countGaps(counters, gaps);
}

/** Counts what is wrong with the capture of a call. */
export function countGaps(counters: Counters, gaps: readonly CaptureGap[]): void {
  for (const { reason } of gaps) counters[isOurLoss(reason) ? 'lost' : 'counted'](`exchange.gap.${reason}`);
}
