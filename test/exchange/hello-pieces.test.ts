import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watch } from './watched.ts';

const vector = (width: number, bytes: Buffer) => {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
};
const NAME = vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from('llm.example'))]));
const HELLO = Buffer.concat([
  Buffer.from([22, 3, 1]),
  vector(
    2,
    Buffer.concat([
      Buffer.from([1]),
      vector(
        3,
        Buffer.concat([
          Buffer.alloc(34),
          vector(1, Buffer.alloc(32)),
          vector(2, Buffer.from([0x13, 1])),
          vector(1, Buffer.from([0])),
          vector(2, Buffer.concat([Buffer.from([0, 0]), vector(2, NAME)])),
        ]),
      ),
    ]),
  ),
]);

/** The names told of sockets that wrote these pieces. */
function names(...pieces: readonly (readonly [socket_id: bigint, payload: Uint8Array])[]) {
  const { event, seen, counters } = watch();
  for (const [socket_id, payload] of pieces)
    event({ kind: 'net_payload', protocol: 'tls_client_hello', socket_id, payload });
  const told = seen.flatMap((item) => (item.kind === 'net_name' ? [[item.socket_id, item.name]] : []));
  return { told, unread: counters.get('exchange.unread_payload') };
}

test('a server name is known, wherever the hello that holds it is split', () => {
  for (let at = 5; at < HELLO.length; at++) {
    assert.deepEqual(names([5n, HELLO.subarray(0, at)], [5n, HELLO.subarray(at)]), {
      told: [[5n, 'llm.example']],
      unread: 0,
    });
  }
});

test('two sockets that write theirs by turns are kept apart', () => {
  const pieces = [0, 20, 40].flatMap((from) =>
    [5n, 6n].map((id) => [id, HELLO.subarray(from, from === 40 ? undefined : from + 20)] as const),
  );
  assert.deepEqual(names(...pieces).told, [
    [5n, 'llm.example'],
    [6n, 'llm.example'],
  ]);
});

test('what begins like one and is none is counted, and keeps nothing', () => {
  assert.deepEqual(names([5n, Buffer.from('160301000401ffff', 'hex')], [5n, Buffer.from('ff')], [5n, HELLO]), {
    told: [[5n, 'llm.example']],
    unread: 1,
  });
});
