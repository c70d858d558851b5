import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createHalfConnections } from '../../src/exchange/half-connections.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { EventBase, TlsDataEvent } from '../../src/model/event.ts';
import { chatRequest, eventChunk, jsonResponse, STREAM_HEAD, type Watched, watch } from './watched.ts';

type Direction = TlsDataEvent['direction'];

/** An object that serves one direction; each has a number of its own. */
function half({ event }: Watched, connection: bigint, direction: Direction, socket_id = 0n) {
  let offset = 0n;
  return {
    move(data: string | Uint8Array, lost_bytes = 0): void {
      const bytes = Buffer.from(data as string);
      const fields = { connection, socket_id, direction, offset, data: bytes, lost_bytes, call_start_ns: 0n };
      event({ kind: 'tls_data', half: true, ...fields });
      offset += BigInt(bytes.length + lost_bytes);
    },
    bind: (id: bigint) => event({ kind: 'tls_binding', connection, socket_id: id }),
  };
}

describe('a call whose two directions are served by two objects', () => {
  test('is told once the socket of its request is known', () => {
    const watched = watch();
    const writes = half(watched, 1n, 'write');
    writes.move(chatRequest());
    assert.deepEqual(watched.calls(), []);
    writes.bind(5n);
    assert.deepEqual(
      watched.calls().map(({ phase, socket_id }) => [phase, socket_id]),
      [['request', 5n]],
    );
    half(watched, 2n, 'read', 5n).move(jsonResponse({ text: 'hello' }));
    assert.equal(watched.answer(watched.only()), 'hello');
  });

  test('goes on when the keys of a direction change in the middle', () => {
    const watched = watch();
    const request = chatRequest();
    half(watched, 1n, 'write', 5n).move(request.subarray(0, 30));
    const later = half(watched, 3n, 'write');
    later.move(request.subarray(30));
    later.bind(5n);
    const response = jsonResponse({ text: 'hello' });
    half(watched, 2n, 'read', 5n).move(response.subarray(0, 50));
    half(watched, 4n, 'read', 5n).move(response.subarray(50));
    assert.equal(watched.answer(watched.only()), 'hello');
    assert.deepEqual(watched.counters.losses(), []);
  });

  test('ends with its socket, which is then forgotten', () => {
    const watched = watch();
    half(watched, 1n, 'write', 5n).move(chatRequest());
    half(watched, 2n, 'read', 5n).move(STREAM_HEAD + eventChunk({ text: 'hel' }));
    watched.event({ kind: 'net_io', socket_id: 5n, closed: true });
    watched.stage.tick?.(watched.now() + 1_000_000_000n);
    assert.equal(watched.only().error?.type, 'cut');
    watched.event({ kind: 'process_exit' });
    assert.equal(watched.ended().length, 1);
  });

  test('does not get the answer of another socket', () => {
    const watched = watch();
    half(watched, 1n, 'write', 5n).move(chatRequest());
    half(watched, 2n, 'read', 6n).move(jsonResponse({ text: 'not yours' }));
    assert.deepEqual(watched.ended(), []);
  });

  test('is marked where bytes are missing', () => {
    const watched = watch();
    half(watched, 1n, 'write', 5n).move(chatRequest());
    const response = jsonResponse({ text: 'hello' });
    const reads = half(watched, 2n, 'read', 5n);
    reads.move(response.subarray(0, -6), 4);
    reads.move(response.subarray(-2));
    assert.deepEqual(
      watched.only().gaps.map(({ reason, bytes }) => [reason, bytes]),
      [['lost_bytes', 4]],
    );
  });
});

describe('bytes of an object that no socket was seen to carry', () => {
  test('are counted when watching, or the process, ends', () => {
    const watched = watch();
    half(watched, 1n, 'write').move(chatRequest());
    watched.event({ kind: 'process_exit', process: '8:80' });
    assert.deepEqual(watched.counters.losses(), []);
    watched.event({ kind: 'process_exit' });
    assert.deepEqual(watched.counters.losses(), [['exchange.unbound_bytes', chatRequest().length]]);
    half(watched, 2n, 'write').move(chatRequest());
    watched.stage.close?.();
    assert.deepEqual(watched.counters.losses(), [['exchange.unbound_bytes', 2 * chatRequest().length]]);
    assert.deepEqual(watched.calls(), []);
  });

  test('are not kept beyond a bound: those held longest go first', () => {
    const { halves, pieces, counters } = joined();
    const data = new Uint8Array(1_000_000);
    for (let id = 1n; id <= 20n; id++) halves.push(piece({ connection: id, data }));
    assert.deepEqual(counters.losses(), [['exchange.unbound_bytes', 4_000_000]]);
    for (let id = 1n; id <= 20n; id++) halves.bind({ connection: id, socket_id: id });
    assert.deepEqual(
      pieces.map(({ socket_id }) => socket_id),
      Array.from({ length: 16 }, (_, index) => BigInt(index + 5)),
    );
  });
});

test('events that say only that bytes were lost are not kept without bound', () => {
  const { halves, counters } = joined();
  const lost = { data: new Uint8Array(0), lost_bytes: 1 };
  for (let id = 1n; id <= 100n; id++) {
    for (let count = 0; count < 1000; count++) halves.push(piece({ connection: id, ...lost }));
  }
  assert.ok((counters.losses()[0]?.[1] ?? 0) > 50_000);
});

describe('a socket that was closed', () => {
  test('ends its connection when nothing comes after', () => {
    const { halves, ended } = joined();
    halves.push(piece({ connection: 1n, socket_id: 5n }));
    halves.socketClosed({ ...BASE, ktime_ns: 10n, socket_id: 5n });
    halves.settle(9n);
    assert.deepEqual(ended, []);
    halves.settle(10n);
    halves.settle(11n);
    assert.equal(ended.length, 1);
  });

  test('but carries more by another descriptor goes on', () => {
    const { halves, ended } = joined();
    halves.push(piece({ connection: 1n, socket_id: 5n }));
    halves.socketClosed({ ...BASE, ktime_ns: 10n, socket_id: 5n });
    halves.push(piece({ connection: 1n, socket_id: 5n, offset: 1n }));
    halves.settle(20n);
    assert.deepEqual(ended, []);
  });
});

const BASE: EventBase = { ktime_ns: 1n, process: '7:70', pid: 7, tid: 8 };

function piece(fields: Partial<TlsDataEvent> & { readonly connection: bigint }): TlsDataEvent {
  return {
    kind: 'tls_data',
    ...BASE,
    half: true,
    socket_id: 0n,
    direction: 'write',
    offset: 0n,
    data: Uint8Array.of(1),
    lost_bytes: 0,
    call_start_ns: 0n,
    ...fields,
  };
}

function joined() {
  const pieces: TlsDataEvent[] = [];
  const ended: bigint[] = [];
  const counters = createCounters();
  const halves = createHalfConnections({
    max_halves: 1000,
    counters,
    route: (event) => pieces.push(event),
    ended: (_, connection) => ended.push(connection),
  });
  return { halves, pieces, ended, counters };
}

test('however the events of many connections interleave, each socket gets its own two streams whole', () => {
  /** One direction of a socket: by its keys, the sizes of what it moves under them, and how early its socket is known. */
  const stream = fc.array(
    fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
      known_at: fc.nat(6),
    }),
    { maxLength: 4 },
  );
  const sockets = fc.array(fc.record({ write: stream, read: stream }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sockets, fc.array(fc.nat(1000)), (plans, choices) => {
      const { halves, pieces, counters } = joined();
      const queues: (() => void)[][] = [];
      let next_half = 100n;
      for (const [index, plan] of plans.entries()) {
        const socket_id = BigInt(index + 1);
        for (const direction of ['write', 'read'] as const) {
          const queue: (() => void)[] = [];
          queues.push(queue);
          let sent = 0;
          for (const { sizes, known_at } of plan[direction]) {
            const connection = next_half++;
            let offset = 0n;
            for (const [at, size] of sizes.entries()) {
              if (at === known_at) queue.push(() => halves.bind({ connection, socket_id }));
              const data = Uint8Array.from({ length: size }, (_, byte) => sent + byte);
              const known = at > known_at ? socket_id : 0n;
              const event = piece({ connection, direction, offset, data, socket_id: known });
              queue.push(() => halves.push(event));
              sent += size;
              offset += BigInt(size);
            }
            if (known_at >= sizes.length) queue.push(() => halves.bind({ connection, socket_id }));
          }
        }
      }
      for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
        const waiting = queues.filter((queue) => queue.length > 0);
        waiting[(choices[turn % choices.length] ?? turn) % waiting.length]?.shift()?.();
      }
      halves.close();
      assert.deepEqual(counters.entries(), []);
      for (const [index, plan] of plans.entries()) {
        for (const direction of ['write', 'read'] as const) {
          const mine = pieces.filter((one) => one.socket_id === BigInt(index + 1) && one.direction === direction);
          const bytes = mine.flatMap(({ data }) => [...data]);
          const total = plan[direction].flatMap(({ sizes }) => sizes).reduce((sum, size) => sum + size, 0);
          assert.deepEqual(
            bytes,
            Array.from({ length: total }, (_, byte) => byte % 256),
          );
          assert.equal(new Set(mine.map(({ connection }) => connection)).size, mine.length > 0 ? 1 : 0);
          let end = 0n;
          for (const { offset, data } of mine) {
            assert.equal(offset, end);
            end += BigInt(data.length);
          }
        }
      }
    }),
  );
});
