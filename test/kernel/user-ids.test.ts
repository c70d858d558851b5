import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUserIds } from '../../src/kernel/user-ids.ts';
import { SetupError } from '../../src/model/setup-error.ts';

test('users are known by their name on this machine, and by their id', () => {
  assert.deepEqual(resolveUserIds(['root', 1000, '65534']), [0, 1000, 65534]);
});

test('a user who does not exist is refused, not silently watched', () => {
  assert.throws(
    () => resolveUserIds(['nobody-of-this-name']),
    (error) => error instanceof SetupError && /exclude\.users/.test(error.fix),
  );
});
