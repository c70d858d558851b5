import type { Counters } from '../health/counters.ts';
import type { Event } from '../model/event.ts';
import type { Stage } from '../stage.ts';
import { EventHeap } from './event-heap.ts';

export interface OrderOptions {
  /** How far out of order two events may arrive: CPUs write to one ring, but not at the time their events carry. */
  readonly window_ns: bigint;
  /** How many events may wait; the oldest leave early (`order.window_full`). */
  readonly max_events?: number;
  readonly counters: Counters;
}

/**
 * Puts events in one order of `ktime_ns`, holding each until one that is `window_ns` younger, or a tick, has come. What is
 * older than what already left is passed on at once and counted (`order.late`). Downstream, `tick` is the time up to which
 * everything was passed on.
 */
export function createOrder(options: OrderOptions, next: Stage<Event>): Stage<Event> {
  const { window_ns, counters, max_events = 1 << 18 } = options;
  const waiting = new EventHeap();
  let released_ns = 0n;

  const release = (until_ns: bigint): void => {
    for (let event = waiting.peek(); event !== undefined && event.ktime_ns <= until_ns; event = waiting.peek()) {
      waiting.pop();
      next.push(event);
    }
    if (until_ns > released_ns) released_ns = until_ns;
  };

  return {
    push(event) {
      if (event.ktime_ns < released_ns) {
        counters.counted('order.late');
        next.push(event);
        return;
      }
      waiting.push(event);
      release(event.ktime_ns - window_ns);
      if (waiting.size > max_events) {
        counters.counted('order.window_full');
        const oldest = waiting.pop() as Event;
        if (oldest.ktime_ns > released_ns) released_ns = oldest.ktime_ns;
        next.push(oldest);
      }
    },
    tick(now_ns) {
      release(now_ns - window_ns);
      next.tick?.(released_ns);
    },
    close() {
      while (waiting.size > 0) next.push(waiting.pop() as Event);
      return next.close?.();
    },
  };
}
