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

/** Counts a call that ended, and what is wrong with its capture. */
export function countCall(counters: Counters, error: CallError | undefined, gaps: readonly CaptureGap[]): void {
  counters.counted(error === undefined ? 'exchange.llm_calls' : 'exchange.llm_calls_failed');
  for (const { reason } of gaps) {
    // What was cut or malformed was so for the agent too.
    const is_loss = reason !== 'cut' && reason !== 'malformed';
    counters[is_loss ? 'lost' : 'counted'](`exchange.gap.${reason}`);
  }
}
