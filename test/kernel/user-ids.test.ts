import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUserIds } from '../../src/kernel/user-ids.ts';

test('users are known by their name on this machine, and by their id', () => {
  assert.deepEqual(resolveUserIds(['root', 1000, '65534']), { uids: [0, 1000, 65534], unknown: [] });
});

test('a user who does not exist is named, and the others stay excluded', () => {
  assert.deepEqual(resolveUserIds(['nobody-of-this-name', 'root']), { uids: [0], unknown: ['nobody-of-this-name'] });
});
