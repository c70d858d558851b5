import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLosses } from '../../src/cli/losses.ts';
import { createCounters } from '../../src/health/counters.ts';

test('what was not seen is told once, for what it is missing from', () => {
  const counters = createCounters();
  assert.deepEqual(describeLosses(counters, 'trace'), []);
  counters.counted('exchange.requests');
  counters.lost('order.late', 2);
  assert.deepEqual(describeLosses(counters, 'trace'), ['not everything is in this trace: order.late 2']);
  assert.deepEqual(describeLosses(counters, 'recording'), ['not everything is in this recording: order.late 2']);
  assert.deepEqual(describeLosses(counters, 'watch'), ['not everything was seen: order.late 2']);
});

test('what an exporter did not get out was seen all the same', () => {
  const counters = createCounters();
  counters.lost('otlp.unsent');
  counters.lost('store.write_failed');
  assert.deepEqual(describeLosses(counters, 'trace'), []);
});
