import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTextCache } from '../../src/redact/text-cache.ts';

const result = { text: 'x', kinds: [] };
const long = (letter: string) => letter.repeat(300);

test('the text least recently asked for is forgotten first', () => {
  const cache = createTextCache(800);
  cache.set(long('a'), result);
  cache.set(long('b'), result);
  assert.equal(cache.get(long('a')), result);
  cache.set(long('c'), result);
  assert.equal(cache.get(long('b')), undefined);
  assert.equal(cache.get(long('a')), result);
  assert.equal(cache.get(long('c')), result);
});

test('a text larger than the cache is not kept, and pushes nothing out', () => {
  const cache = createTextCache(800);
  cache.set(long('a'), result);
  cache.set('b'.repeat(1000), result);
  assert.equal(cache.get('b'.repeat(1000)), undefined);
  assert.equal(cache.get(long('a')), result);
});
