import type { CaptureGap } from '../model/llm-call.ts';

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
