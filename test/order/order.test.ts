import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCounters } from '../../src/health/counters.ts';
import type { Event } from '../../src/model/event.ts';
import { createOrder } from '../../src/order/order.ts';

const at = (ktime_ns: number, pid = 1): Event => ({
  kind: 'agent_seen',
  ktime_ns: BigInt(ktime_ns),
  process: `${pid}:1`,
  pid,
  tid: pid,
  comm: '',
});

function orderInto(window_ns: bigint, max_events?: number) {
  const out: Event[] = [];
  const ticks: bigint[] = [];
  const counters = createCounters();
  const order = createOrder(
    { window_ns, counters, max_events },
    { push: (event) => out.push(event), tick: (now) => ticks.push(now) },
  );
  return { order, out, ticks, counters, times: () => out.map((event) => Number(event.ktime_ns)) };
}

test('events that arrive out of order within the window leave in order', () => {
  const { order, times, counters } = orderInto(100n);
  for (const time of [50, 20, 90, 70, 151]) order.push(at(time));
  assert.deepEqual(times(), [20, 50]);
  order.close?.();
  assert.deepEqual(times(), [20, 50, 70, 90, 151]);
  assert.deepEqual(counters.entries(), []);
});

test('events of the same time leave in the order they came', () => {
  const { order, out } = orderInto(10n);
  for (const pid of [3, 1, 2]) order.push(at(5, pid));
  order.close?.();
  assert.deepEqual(
    out.map((event) => event.pid),
    [3, 1, 2],
  );
});

test('a tick lets go what the window no longer holds, then tells how far time has got', () => {
  const { order, times, ticks } = orderInto(100n);
  order.push(at(10));
  order.push(at(60));
  order.tick?.(120n);
  assert.deepEqual(times(), [10]);
  assert.deepEqual(ticks, [20n]);
});

test('an event that comes too late is passed on at once and counted', () => {
  const { order, times, counters } = orderInto(10n);
  order.push(at(100));
  order.tick?.(200n);
  order.push(at(50));
  assert.deepEqual(times(), [100, 50]);
  assert.equal(counters.get('order.late'), 1);
});

test('a window that is full lets the oldest go and counts it', () => {
  const { order, times, counters } = orderInto(1_000_000n, 3);
  for (const time of [4, 3, 2, 1]) order.push(at(time));
  assert.deepEqual(times(), [1]);
  assert.equal(counters.get('order.window_full'), 1);
});

test('whatever the order of arrival, nothing is lost and disorder below the window is mended', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 200 }), (jitters) => {
      const { order, times, counters } = orderInto(100n);
      jitters.forEach((jitter, index) => {
        order.push(at(index * 10 + jitter));
      });
      order.close?.();
      const expected = jitters.map((jitter, index) => index * 10 + jitter).sort((a, b) => a - b);
      assert.deepEqual(times(), expected);
      assert.deepEqual(counters.entries(), []);
    }),
  );
});
