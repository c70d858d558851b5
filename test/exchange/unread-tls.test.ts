import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Watched, watch } from './watched.ts';

const HELLO = Buffer.from('16030100050100000100', 'hex');

const hello = ({ event }: Watched) =>
  event({ kind: 'net_payload', protocol: 'tls_client_hello', socket_id: 5n, payload: HELLO });
const move = ({ event }: Watched, bytes_sent: number, closed: boolean) =>
  event({ kind: 'net_io', socket_id: 5n, bytes_sent: BigInt(bytes_sent), bytes_received: 3000n, closed });
const unread = ({ seen }: Watched) => seen.flatMap((item) => (item.kind === 'unread_traffic' ? [item.protocol] : []));

test('a TLS connection that carried data of which nothing was seen is told when it ends, before its end is', () => {
  const watched = watch();
  hello(watched);
  move(watched, 500, false);
  assert.deepEqual(unread(watched), []);
  move(watched, 500, true);
  assert.deepEqual(
    watched.seen.slice(-2).map(({ kind }) => kind),
    ['unread_traffic', 'net_io'],
  );
  assert.deepEqual(unread(watched), ['tls']);
  assert.equal(watched.counters.get('exchange.unread_tls'), 1);
});

test('a handshake alone is not', () => {
  const watched = watch();
  hello(watched);
  move(watched, HELLO.length + 100, true);
  assert.deepEqual(unread(watched), []);
});

test('nor is a connection that is read', () => {
  const watched = watch();
  hello(watched);
  const { write } = watched.connection(1n, { socket_id: 5n });
  write('x'.repeat(3000));
  write('x'.repeat(3000));
  move(watched, 6300, true);
  assert.deepEqual(unread(watched), []);
});

test('but one of which a part is read is told', () => {
  const watched = watch();
  hello(watched);
  watched.connection(1n, { socket_id: 5n }).write('x'.repeat(1000));
  move(watched, 9000, true);
  assert.deepEqual(unread(watched), ['tls']);
});

test('and one beside others of its process that are read', () => {
  const watched = watch();
  hello(watched);
  watched.connection(1n, { socket_id: 6n }).write('GET / HTTP/1.1\r\n\r\n');
  move(watched, 2000, true);
  assert.deepEqual(unread(watched), ['tls']);
});

test('a connection whose socket is not known may be any: nothing is told then', () => {
  const watched = watch();
  hello(watched);
  const { write } = watched.connection(1n);
  write('x'.repeat(3000));
  move(watched, 9000, true);
  assert.deepEqual(unread(watched), []);
});

test('a process that becomes another program is judged anew', () => {
  const watched = watch();
  watched.connection(1n, { socket_id: 4n }).write('GET / HTTP/1.1\r\n\r\n');
  watched.event({ kind: 'process_exec', origin: 'exec' });
  hello(watched);
  move(watched, 5000, true);
  assert.deepEqual(unread(watched), ['tls']);
});
