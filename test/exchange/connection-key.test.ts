import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPlainConnection, joinedConnection, plainConnection } from '../../src/exchange/connection-key.ts';

test('an address, a socket that a library splits, and a socket without TLS are never the same connection', () => {
  const numbers = fc.bigInt({ min: 1n, max: (1n << 63n) - 1n });
  fc.assert(
    fc.property(numbers, numbers, (address, socket_id) => {
      const keys = [address, joinedConnection(address), plainConnection(address), joinedConnection(socket_id)];
      assert.equal(new Set([...keys, plainConnection(socket_id)]).size, address === socket_id ? 3 : 5);
      assert.deepEqual(keys.map(isPlainConnection), [false, false, true, false]);
    }),
  );
});
