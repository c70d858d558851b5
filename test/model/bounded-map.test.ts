import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from '../../src/model/bounded-map.ts';

test('what was put in first is forgotten first, and that is told', () => {
  const forgotten: string[] = [];
  const map = new BoundedMap<string, number>(2, (key, value) => forgotten.push(`${key}=${value}`));
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  assert.deepEqual(forgotten, ['b=2']);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [3, undefined, 4, 2]);
});
