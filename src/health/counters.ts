type Entry = readonly [reason: string, count: number];

/** Counts by reason. A reason is a short, fixed, dotted text that begins with the stage's name: `exchange.lost_bytes`. */
export interface Counters {
  /** What should be in the trace and is not, or is there only in part: the user is told. */
  lost(reason: string, count?: number): void;
  /** What was done on purpose, is normal, or is only worth knowing to who looks into it. */
  counted(reason: string, count?: number): void;
  get(reason: string): number;
  /** Every reason that was ever counted, sorted. */
  entries(): readonly Entry[];
  /** Those of `entries` that are losses. */
  losses(): readonly Entry[];
}

export function createCounters(): Counters {
  const counts = new Map<string, number>();
  const loss_reasons = new Set<string>();
  const add = (reason: string, count: number): void => {
    if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
  };
  const entries = (): Entry[] => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    lost(reason, count = 1) {
      loss_reasons.add(reason);
      add(reason, count);
    },
    counted: (reason, count = 1) => add(reason, count),
    get: (reason) => counts.get(reason) ?? 0,
    entries,
    losses: () => entries().filter(([reason]) => loss_reasons.has(reason)),
  };
}
