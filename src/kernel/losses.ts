import type { EventBase, LossEvent } from '../model/event.ts';
import { loss } from './events.gen.ts';

/** What the kernel side counts as lost, in the order of its counters: `ring_full`, `scratch_busy`, ... */
export const LOSS_REASONS: readonly string[] = Object.entries(loss)
  .filter(([name]) => name !== 'LOSS_REASONS')
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.slice('LOSS_'.length).toLowerCase());

/** Reasons for which a whole record is missing, and its number with it. */
export const LOST_RECORD_REASONS: ReadonlySet<string> = new Set(['ring_full']);

/**
 * Turns the kernel side's counters, which only grow, into `loss` events of what was added since the last call.
 * `readTotals` gives one total per reason.
 */
export function createLossReader(readTotals: () => readonly number[], reader: Omit<EventBase, 'ktime_ns'>) {
  const told = LOSS_REASONS.map(() => 0);
  return (now_ns: bigint): LossEvent[] =>
    readTotals().flatMap((total, index) => {
      const count = total - (told[index] ?? 0);
      const reason = LOSS_REASONS[index];
      if (count <= 0 || reason === undefined) return [];
      told[index] = total;
      return [{ kind: 'loss', ...reader, ktime_ns: now_ns, reason, count }];
    });
}
