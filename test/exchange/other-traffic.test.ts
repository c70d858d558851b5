import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../src/model/event.ts';
import { chatRequest, jsonResponse, PROCESS, STREAM_HEAD, watch } from './watched.ts';

const BINARY = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7) % 256);

describe('traffic that cannot be read', () => {
  test('is told once for each connection', () => {
    const { connection, seen } = watch();
    const { write, read } = connection(1n, { socket_id: 5n });
    write(BINARY);
    for (let count = 0; count < 3; count++) {
      write(BINARY);
      read(BINARY);
    }
    assert.deepEqual(seen, [
      { kind: 'unread_traffic', ktime_ns: 1010n, process: PROCESS, pid: 7, tid: 8, socket_id: 5n, protocol: 'unknown' },
    ]);
  });

  const protocols = (seen: readonly { kind: string }[]) =>
    seen.filter((item) => item.kind === 'unread_traffic').map((item) => (item as { protocol?: string }).protocol);

  test('WebSocket, after its upgrade', () => {
    const { connection, seen } = watch();
    const { write, read } = connection(1n);
    write('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n');
    read('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
    write(BINARY);
    assert.deepEqual(protocols(seen), ['websocket']);
  });

  test('something binary, when there is enough of it or the connection ends', () => {
    const long = watch();
    long.connection(1n).write(BINARY);
    assert.deepEqual(protocols(long.seen), ['unknown']);
    const short = watch();
    const { write, close } = short.connection(1n);
    write(BINARY.subarray(0, 50));
    assert.deepEqual(protocols(short.seen), []);
    close();
    assert.deepEqual(protocols(short.seen), ['unknown']);
  });

  test('and the next connection at the same address is read', () => {
    const { connection, only, answer } = watch();
    const { write, read } = connection(1n);
    write(BINARY);
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }));
    assert.equal(answer(only()), 'hello');
  });
});

describe('a watched process that is the server', () => {
  test('makes no call of a request that it reads', () => {
    const { connection, seen, counters } = watch();
    const { write, read, close } = connection(1n);
    read(chatRequest());
    write(jsonResponse({ text: 'hello' }));
    read(chatRequest());
    write(STREAM_HEAD);
    close();
    assert.deepEqual(seen, []);
    assert.equal(counters.get('exchange.server_connections'), 1);
  });

  test('of itself: the client’s side counts, once', () => {
    const { connection, calls } = watch();
    const client = connection(1n);
    const server = connection(2n);
    client.write(chatRequest());
    server.read(chatRequest());
    server.write(jsonResponse({ text: 'hello' }));
    client.read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(
      calls().map(({ call_id }) => call_id),
      ['7:70/1/1', '7:70/1/1'],
    );
  });
});

test('every other event is passed on in order, TLS bytes and payloads are not', () => {
  const { stage, seen } = watch();
  const base = { ktime_ns: 1n, process: PROCESS, pid: 7, tid: 8 };
  const events = [
    { ...base, kind: 'process_exec', origin: 'snapshot' },
    {
      ...base,
      kind: 'tls_data',
      connection: 1n,
      socket_id: 0n,
      direction: 'write',
      offset: 0n,
      data: Buffer.from('x'),
    },
    { ...base, kind: 'file_open', path: '/etc/passwd' },
    { ...base, kind: 'net_payload', protocol: 'dns', socket_id: 5n, payload: Buffer.from('not DNS') },
    { ...base, kind: 'tls_close', connection: 1n },
    { ...base, kind: 'loss', reason: 'ring_full', count: 1 },
    { ...base, kind: 'process_exit', exit_code: 0, signal: 0 },
  ];
  for (const event of events) stage.push({ lost_bytes: 0, call_start_ns: 0n, ...event } as unknown as Event);
  assert.deepEqual(
    seen.map(({ kind }) => kind),
    ['process_exec', 'file_open', 'loss', 'process_exit'],
  );
});

test('a DNS answer becomes a name', () => {
  const { event, seen } = watch();
  const payload = Buffer.concat([
    Buffer.from('1234818300010000000000000161', 'hex'),
    Buffer.from([4, ...Buffer.from('test'), 0, 0, 1, 0, 1]),
  ]);
  event({ kind: 'net_payload', protocol: 'dns', socket_id: 5n, payload });
  assert.deepEqual(seen, [
    {
      kind: 'net_name',
      ktime_ns: 1010n,
      process: PROCESS,
      pid: 7,
      tid: 8,
      socket_id: 5n,
      source: 'dns',
      name: 'a.test',
      addresses: [],
      error_type: 'NXDOMAIN',
    },
  ]);
});

test('of too many connections the one that was silent longest is given up, counted and marked', () => {
  const { connection, ended, answer, counters } = watch({ max_connections: 2 });
  const [first, second, third] = [connection(1n), connection(2n), connection(3n)];
  first.write(chatRequest({ prompt: 'a' }));
  second.write(chatRequest({ prompt: 'b' }));
  first.read(STREAM_HEAD);
  third.write(chatRequest({ prompt: 'c' }));
  third.read(jsonResponse({ text: 'C' }));
  const [given_up, whole] = ended();
  assert.equal(given_up?.error, undefined);
  assert.deepEqual(given_up?.gaps, [{ reason: 'cut', bytes: 0, detail: 'response' }]);
  assert.equal(whole && answer(whole), 'C');
  assert.equal(counters.get('exchange.connections_evicted'), 1);
});
