import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCounters } from '../../src/health/counters.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import * as raw from '../../src/kernel/events.gen.ts';
import type { Event } from '../../src/model/event.ts';
import { makeAddress, makeRecord } from './record-builder.ts';

function decoder() {
  const events: Event[] = [];
  const counters = createCounters();
  const intake = createDecode({ counters }, { push: (event) => events.push(event) });
  return { events, counters, intake };
}

function decodeOne(record: Uint8Array): Event | undefined {
  const { events, intake } = decoder();
  intake.pushRecord(record);
  return events[0];
}

test('an open names the file by its absolute path', () => {
  const fields = { file_id: 9n, fd: 3, flags: 0x41, mode: 0o100644, created: 1, base_bytes: 9, path_bytes: 13 };
  const event = decodeOne(makeRecord('EVENT_FILE_OPEN', {}, fields, '/home/ann', '../bob/./x//y'));
  assert.deepEqual(event, {
    kind: 'file_open',
    ktime_ns: 1000n,
    process: '42:7',
    pid: 42,
    tid: 42,
    origin: 'open',
    file_id: 9n,
    fd: 3,
    flags: 0x41,
    mode: 0o100644,
    errno: 0,
    created: true,
    path: '/home/bob/x/y',
  });
});

test('bytes of a path that are no UTF-8 are replaced, and the rest is kept', () => {
  const path = Buffer.from([0x2f, 0xff, 0x61]);
  const event = decodeOne(makeRecord('EVENT_FILE_OPEN', {}, { path_bytes: 3 }, path));
  assert.equal(event?.kind === 'file_open' && event.path, '/\ufffda');
});

test('a rename tells both names', () => {
  const fields = { operation: raw.file_operation.FILE_RENAME, path_bytes: 2, new_base_bytes: 2, new_path_bytes: 1 };
  const event = decodeOne(makeRecord('EVENT_FILE_CHANGE', {}, fields, '/a', '/d', 'b'));
  assert.ok(event?.kind === 'file_change');
  assert.deepEqual([event.operation, event.path, event.new_path], ['rename', '/a', '/d/b']);
});

test('connections are told with addresses as people write them', () => {
  const cases = [
    { bytes: makeAddress(2, [127, 0, 0, 1], 443), family: 'ipv4', address: '127.0.0.1', port: 443 },
    {
      bytes: makeAddress(10, [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1], 53),
      family: 'ipv6',
      address: '2001:db8::1',
      port: 53,
    },
    { bytes: makeAddress(10, Array(16).fill(0), 1), family: 'ipv6', address: '::', port: 1 },
    {
      bytes: makeAddress(10, [...Array(10).fill(0), 255, 255, 10, 0, 0, 1], 80),
      family: 'ipv4',
      address: '10.0.0.1',
      port: 80,
    },
  ];
  for (const { bytes, ...expected } of cases) {
    const fields = { operation: raw.net_operation.NET_CONNECT, protocol: 6, socket_id: 5n, peer: bytes };
    const event = decodeOne(makeRecord('EVENT_NET_OPEN', {}, fields));
    assert.ok(event?.kind === 'net_open');
    assert.deepEqual(event.peer, expected);
    assert.equal(event.transport, 'tcp');
  }
});

test('a unix socket is told by its path, an abstract one with @', () => {
  const fields = {
    operation: raw.net_operation.NET_CONNECT,
    local: makeAddress(1, [], 0, 0),
    peer: makeAddress(1, [], 0, 4),
  };
  const event = decodeOne(makeRecord('EVENT_NET_OPEN', {}, fields, '\0abc'));
  assert.ok(event?.kind === 'net_open');
  assert.deepEqual([event.transport, event.peer.address], ['unix', '@abc']);
});

test('plaintext outlives the record it came in', () => {
  const { events, intake } = decoder();
  const fields = {
    connection: 1n,
    direction: raw.tls_direction.TLS_WRITE,
    data_bytes: 5,
    lost_bytes: 2,
    offset_bytes: 10n,
  };
  const record = makeRecord('EVENT_TLS_DATA', {}, fields, 'hello');
  intake.pushRecord(record);
  record.fill(0);
  const event = events[0];
  assert.ok(event?.kind === 'tls_data');
  assert.equal(Buffer.from(event.data).toString(), 'hello');
  assert.deepEqual([event.direction, event.offset, event.lost_bytes], ['write', 10n, 2]);
  assert.ok(!('half' in event));
});

test('plaintext of an object for one direction is told from that of a whole connection, and so is its socket', () => {
  const { events, intake } = decoder();
  intake.pushRecord(makeRecord('EVENT_TLS_DATA', {}, { direction: raw.tls_direction.TLS_READ, is_half: 1 }));
  intake.pushRecord(makeRecord('EVENT_TLS_BINDING', { sequence: 1 }, { connection: 3n, socket_id: 5n }));
  const [data, binding] = events;
  assert.ok(data?.kind === 'tls_data' && binding?.kind === 'tls_binding');
  assert.deepEqual([data.half, binding.connection, binding.socket_id], [true, 3n, 5n]);
});

test('a long command line is put together from its records', () => {
  const { events, intake } = decoder();
  const exec = { executable_bytes: 7, cwd_bytes: 4, args_bytes: 6, args_total_bytes: 12, watched: 1, parent_pid: 1 };
  intake.pushRecord(makeRecord('EVENT_PROCESS_EXEC', {}, exec, '/bin/ls', '/tmp', 'ls\0-l\0'));
  assert.equal(events.length, 0);
  intake.pushRecord(makeRecord('EVENT_PROCESS_ARGS', { sequence: 1 }, { offset_bytes: 6, data_bytes: 6 }, '\0file\0'));
  const event = events[0];
  assert.ok(event?.kind === 'process_exec');
  assert.deepEqual(event.args, ['ls', '-l', '', 'file']);
  assert.deepEqual([event.executable_path, event.working_directory, event.args_lost_bytes], ['/bin/ls', '/tmp', 0]);
});

test('a command line whose end never comes is told with what is missing, before what the process does next', () => {
  const { events, intake, counters } = decoder();
  const exec = { args_bytes: 3, args_total_bytes: 100, watched: 1 };
  intake.pushRecord(makeRecord('EVENT_PROCESS_EXEC', {}, exec, 'ls\0'));
  intake.pushRecord(makeRecord('EVENT_PROCESS_EXIT', { sequence: 1 }, { exit_code: 3 }));
  assert.deepEqual(
    events.map((event) => event.kind),
    ['process_exec', 'process_exit'],
  );
  assert.ok(events[0]?.kind === 'process_exec');
  assert.deepEqual([events[0].args, events[0].args_lost_bytes], [['ls'], 97]);
  assert.equal(counters.get('kernel.arguments_cut'), 1);
});

test('a command line that stays incomplete is told after a while', () => {
  const { events, intake } = decoder();
  intake.pushRecord(makeRecord('EVENT_PROCESS_EXEC', {}, { args_bytes: 0, args_total_bytes: 9 }));
  intake.tick(1_000_000_000n);
  assert.equal(events.length, 1);
});

test('a gap in the numbers of a CPU is a loss of that many records', () => {
  const { events, intake, counters } = decoder();
  for (const sequence of [5, 6, 9]) intake.pushRecord(makeRecord('EVENT_TLS_CLOSE', { sequence, cpu: 1 }));
  intake.pushRecord(makeRecord('EVENT_TLS_CLOSE', { sequence: 100, cpu: 0 }));
  intake.tick(1n);
  intake.tick(2n);
  const losses = events.filter((event) => event.kind === 'loss');
  assert.deepEqual(
    losses.map(({ reason, count }) => [reason, count]),
    [['lost_records', 2]],
  );
  assert.equal(counters.get('kernel.lost_records'), 2);
});

test('records of one CPU that only changed places are no loss', () => {
  const { events, intake } = decoder();
  for (const sequence of [1, 3, 2, 4]) intake.pushRecord(makeRecord('EVENT_TLS_CLOSE', { sequence }));
  intake.close?.();
  assert.deepEqual(
    events.map((event) => event.kind),
    Array(4).fill('tls_close'),
  );
});

test('what the kernel side reports as lost is told once, even when no record came after it', () => {
  const { events, intake } = decoder();
  const loss = { kind: 'loss', ktime_ns: 5n, process: '1:1', pid: 1, tid: 1 } as const;
  intake.pushRecord(makeRecord('EVENT_TLS_CLOSE', { sequence: 1 }));
  intake.pushRecord(makeRecord('EVENT_TLS_CLOSE', { sequence: 4 }));
  intake.pushFact({ ...loss, reason: 'ring_full', count: 5 });
  intake.pushFact({ ...loss, reason: 'memory_fault', count: 1 });
  intake.close?.();
  const losses = events.filter((event) => event.kind === 'loss').map(({ reason, count }) => [reason, count]);
  assert.deepEqual(losses, [
    ['memory_fault', 1],
    ['lost_records', 2],
    ['lost_records', 3],
  ]);
});

test('a record that is shorter than it says is counted and dropped', () => {
  const whole = makeRecord('EVENT_FILE_OPEN', {}, { path_bytes: 4 }, '/abc');
  for (let length = 0; length < whole.length; length++) {
    const { events, intake, counters } = decoder();
    intake.pushRecord(whole.subarray(0, length));
    assert.deepEqual(events, []);
    assert.equal(counters.get('kernel.malformed_record'), 1);
  }
});

test('no bytes at all can make the decoder throw', () => {
  const kind = fc.constantFrom(...(Object.keys(raw.event_kind) as (keyof typeof raw.event_kind)[]));
  fc.assert(
    fc.property(fc.array(fc.tuple(kind, fc.uint8Array({ minLength: 40, maxLength: 200 }))), (records) => {
      const { intake } = decoder();
      for (const [name, bytes] of records) {
        new DataView(bytes.buffer).setUint32(raw.event_header.offset.kind, raw.event_kind[name], true);
        intake.pushRecord(bytes);
      }
      intake.tick(1n);
      intake.close?.();
    }),
  );
});
