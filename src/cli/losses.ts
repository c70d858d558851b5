import type { Counters } from '../health/counters.ts';

/** Exporters tell themselves what they did not get out: it was seen, and may be shown or stored all the same. */
const OF_EXPORTERS = /^(otlp|store|console)\./;

/** What losses are missing from. */
export type LossPlace = 'trace' | 'recording' | 'watch';

/** One line that says what is missing from `where`; none when nothing is. */
export function describeLosses(counters: Counters, where: LossPlace): string[] {
  const losses = counters
    .losses()
    .filter(([reason]) => !OF_EXPORTERS.test(reason))
    .map(([reason, count]) => `${reason} ${count}`);
  if (losses.length === 0) return [];
  const what = where === 'watch' ? 'not everything was seen' : `not everything is in this ${where}`;
  return [`${what}: ${losses.join(', ')}`];
}
