import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';

test('only what is missing from a trace is a loss', () => {
  const counters = createCounters();
  counters.counted('exchange.requests', 3);
  counters.lost('kernel.ring_full', 2);
  counters.lost('kernel.ring_full');
  counters.lost('store.queue_full', 0);
  assert.deepEqual(counters.losses(), [['kernel.ring_full', 3]]);
  assert.deepEqual(counters.entries(), [
    ['exchange.requests', 3],
    ['kernel.ring_full', 3],
  ]);
  assert.equal(counters.get('exchange.requests'), 3);
});
