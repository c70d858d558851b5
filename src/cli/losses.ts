import type { Counters } from '../health/counters.ts';

/** One line that says what is missing from what was just shown; none when nothing is. */
export function describeLosses(counters: Counters): string[] {
  const losses = counters.losses().map(([reason, count]) => `${reason} ${count}`);
  return losses.length === 0 ? [] : [`not everything is in this trace: ${losses.join(', ')}`];
}
