import type { Counters } from '../health/counters.ts';

/** Counters of what is not a loss: what was done on purpose, or is normal. */
const NORMAL =
  /^(redact\.|exclude\.|exchange\.(requests|llm_calls|llm_calls_failed|server_connections|unread_\w+)$|otlp\.(exported|not_sampled)$|store\.(expired|removed|duplicate)_)/;

/** One line that says what is missing from what was just shown; none when nothing is. */
export function describeLosses(counters: Counters): string[] {
  const losses = counters.entries().filter(([reason, count]) => count > 0 && !NORMAL.test(reason));
  if (losses.length === 0) return [];
  return [`not everything is in this trace: ${losses.map(([reason, count]) => `${reason} ${count}`).join(', ')}`];
}
