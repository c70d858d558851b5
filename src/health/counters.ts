/**
 * Counts what was lost, cut or left out, by reason. A reason is a short, fixed, dotted text that begins with the
 * stage's name: `exchange.body_too_large`.
 */
export interface Counters {
  add(reason: string, count?: number): void;
  get(reason: string): number;
  /** Every reason that was ever counted, sorted. */
  entries(): readonly (readonly [reason: string, count: number])[];
}

export function createCounters(): Counters {
  const counts = new Map<string, number>();
  return {
    add(reason, count = 1) {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    },
    get: (reason) => counts.get(reason) ?? 0,
    entries: () => [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}
