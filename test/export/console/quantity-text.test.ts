import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, costText, countText, durationText } from '../../../src/export/console/quantity-text.ts';

test('bytes, counts and durations are short', () => {
  assert.deepEqual([0, 870, 1234, 64_000, 999_999, 1.5e9].map(bytesText), [
    '0 B',
    '870 B',
    '1.2 kB',
    '64 kB',
    '1 MB',
    '1.5 GB',
  ]);
  assert.deepEqual([0, 999, 1000, 18_240, 1_500_000].map(countText), ['0', '999', '1k', '18k', '1.5M']);
  assert.deepEqual(
    [1n, 42_000n, 1_230_000n, 870_000_000n, 2_410_000_000n, 185_000_000_000n, 7_800_000_000_000n].map(durationText),
    ['0µs', '42µs', '1.2ms', '870ms', '2.41s', '3m 05s', '2h 10m'],
  );
});

test('of small amounts of money two digits are shown, of large ones the cents', () => {
  assert.deepEqual([0, 1e-7, 0.000_042, 0.0384, 0.1, 0.5, 0.999, 1.2, 120.5].map(costText), [
    '$0',
    '<$0.000001',
    '$0.000042',
    '$0.038',
    '$0.10',
    '$0.50',
    '$1.00',
    '$1.20',
    '$120.50',
  ]);
});
