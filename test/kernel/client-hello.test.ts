import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { openWatch, PYTHON } from './watch.ts';

const watch = openWatch();
const server = net.createServer((socket) => socket.on('error', () => {}).resume());
let port = 0;

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as net.AddressInfo).port;
});
after(async () => {
  server.close();
  await watch.close();
});

/** The sizes of what is told of a connection on which `hello`, of 21 bytes, is sent in some way. */
async function helloSizes(send: string): Promise<number[]> {
  const begin = [
    'import os, socket',
    `s = socket.create_connection(('127.0.0.1', ${port}))`,
    "hello = bytes.fromhex('1603010010 0100000c') + bytes(12)",
  ];
  const seen = await watch.run(PYTHON, '-c', [...begin, send].join('\n'));
  return seen.of('net_payload').map(({ payload }) => payload.length);
}

test('a ClientHello is found behind buffers that are empty', async () => {
  assert.deepEqual(await helloSizes("os.writev(s.fileno(), [b'', b'', hello])"), [21]);
});

test('a ClientHello that is written bit by bit is handed on, and nothing of what follows', async () => {
  const send = "for piece in (hello[:5], hello[5:9], hello[9:], b'more', hello): s.send(piece)";
  assert.deepEqual(await helloSizes(send), [5, 4, 12]);
});
