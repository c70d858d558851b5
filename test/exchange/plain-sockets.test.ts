import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatRequest, eventChunk, jsonResponse, STREAM_HEAD, watch } from './watched.ts';

const address = (text: string, port: number, family = 'ipv4') => ({ family, address: text, port });

test('a call over plain HTTP is told with its socket and server', () => {
  const { socket, only, answer } = watch();
  const { write, read } = socket(5n);
  write(chatRequest());
  read(jsonResponse({ text: 'hello' }));
  const call = only();
  assert.equal(answer(call), 'hello');
  assert.deepEqual([call.socket_id, call.server_address, call.server_port], [5n, 'llm.example', 8443]);
  assert.equal(call.error, undefined);
  assert.deepEqual(call.gaps, []);
});

test('a host without a port is asked at port 80', () => {
  const { socket, only } = watch();
  const { write, read } = socket(5n);
  write(chatRequest().toString().replace('llm.example:8443', 'llm.example'));
  read(jsonResponse({ text: 'hello' }));
  assert.equal(only().server_port, 80);
});

test('the server behind a unix socket is that socket, whatever the Host header says', () => {
  const { socket, only, event } = watch();
  const [local, peer] = [address('', 0, 'unix'), address('/run/model.sock', 0, 'unix')];
  event({ kind: 'net_open', operation: 'connect', socket_id: 5n, fd: 3, transport: 'unix', local, peer, errno: 0 });
  const { write, read } = socket(5n);
  write(chatRequest());
  read(jsonResponse({ text: 'hello' }));
  assert.deepEqual([only().server_address, only().server_port], ['/run/model.sock', undefined]);
});

test('a socket and a TLS connection of the same number are two', () => {
  const { socket, connection, ended, answer } = watch();
  const [plain, tls] = [socket(5n), connection(5n)];
  plain.write(chatRequest());
  tls.write(chatRequest());
  plain.read(jsonResponse({ text: 'plain' }));
  tls.read(jsonResponse({ text: 'tls' }));
  assert.deepEqual(ended().map(answer), ['plain', 'tls']);
  assert.equal(new Set(ended().map(({ call_id }) => call_id)).size, 2);
});

test('a socket that is closed in the middle of a stream ends the call with an error', () => {
  const { socket, only, event } = watch();
  const { write, read } = socket(5n);
  write(chatRequest({ stream: true }));
  read(STREAM_HEAD);
  read(eventChunk({ text: 'hel' }));
  event({ kind: 'net_io', socket_id: 5n, closed: true });
  assert.deepEqual(only().error, { type: 'cut', message: 'the socket was closed' });
});

test('bytes that were left out mark the call that misses them, and are counted only there', () => {
  const { socket, only, counters } = watch();
  const { write, read } = socket(5n);
  write('GET /file HTTP/1.1\r\n\r\n');
  read('HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n', 70000);
  assert.equal(counters.get('exchange.lost_bytes'), 0);
  assert.equal(counters.get('exchange.plain_bytes_left_out'), 70000);
  write(chatRequest());
  read('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n', 20);
  assert.deepEqual(
    only().gaps.map(({ reason, bytes }) => [reason, bytes]),
    [['lost_bytes', 20]],
  );
  assert.equal(counters.get('exchange.gap.lost_bytes'), 1);
});

test('what else goes through a plain socket is no unread TLS, and counted', () => {
  const { socket, seen, counters } = watch();
  const { write, read } = socket(5n);
  write('GET /ws HTTP/1.1\r\nUpgrade: other\r\n\r\n');
  read('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n');
  write(Uint8Array.from({ length: 9000 }, (_, index) => index % 256));
  assert.deepEqual(seen, []);
  assert.equal(counters.get('exchange.unread_plain_unknown'), 1);
});

test('a request that a watched server reads makes no call', () => {
  const { socket, seen, counters } = watch();
  const { write, read } = socket(5n);
  read(chatRequest());
  write(jsonResponse({ text: 'hello' }));
  read(chatRequest());
  assert.deepEqual(seen, []);
  assert.equal(counters.get('exchange.server_connections'), 1);
});

test('what pipes carry goes no further', () => {
  const { event, seen } = watch();
  const fields = { stream_id: 7n, offset: 0n, data: Buffer.from('{}'), lost_bytes: 0 };
  event({ kind: 'plain_data', channel: 'pipe', direction: 'write', ...fields });
  event({ kind: 'pipe_end', stream_id: 7n, state: 'reader' });
  assert.deepEqual(seen, []);
});
