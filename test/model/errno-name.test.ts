import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoName } from '../../src/model/errno-name.ts';

test('an errno is told by its name, and by its number where it has none', () => {
  assert.deepEqual([2, 13, 111, 0, 999, -2].map(errnoName), [
    'ENOENT',
    'EACCES',
    'ECONNREFUSED',
    'errno 0',
    'errno 999',
    'errno -2',
  ]);
});
