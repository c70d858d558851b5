import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openWatch, PYTHON, type Seen } from './watch.ts';

const BIG_BYTES = 20_000_000;
const big = Buffer.alloc(BIG_BYTES);
for (let at = 0; at < BIG_BYTES; at += 4) big.writeUInt32LE(at, at);
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-plain-'));
const got = new Map<number, Buffer[]>();
/** Answers whatever ends in END; `GET /big` with 20 MB. */
const serve = (socket: net.Socket) => {
  const parts: Buffer[] = [];
  got.set(socket.remotePort ?? 0, parts);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    parts.push(data);
    if (data.toString('latin1', 0, 8) === 'GET /big')
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), big]));
    else if (data.toString('latin1', data.length - 3) === 'END') socket.write(ANSWER);
  });
};
const server = net.createServer(serve);
const serverUnix = net.createServer(serve);
let port = 0;

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await once(serverUnix.listen(join(folder, 'socket')), 'listening');
  port = (server.address() as net.AddressInfo).port;
});
after(async () => {
  for (const one of [server, serverUnix]) one.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

const prologue = `
import array, ctypes, os, socket, struct, sys, threading
def connect(): return socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))
def take(s, n):
    while n: n -= len(s.recv(min(n, 65536)))
head = b'POST /v1/chat HTTP/1.1\\r\\nHost: local\\r\\n\\r\\n'
libc = ctypes.CDLL(None, use_errno=True)
`;
const python = (program: string) => {
  process.env.PORT = String(port);
  return watch.run(PYTHON, '-c', prologue + program);
};

/** One direction of one socket, whole; fails when a byte is missing or comes twice. */
function bytesOf(seen: Seen, direction: 'read' | 'write', pid = seen.pid): Buffer {
  const parts = seen.of('plain_data').filter((event) => event.direction === direction && event.pid === pid);
  let offset = 0n;
  for (const part of parts) {
    assert.equal(part.channel, 'socket');
    assert.equal(part.offset, offset);
    assert.equal(part.lost_bytes, 0);
    offset += BigInt(part.data.length);
  }
  return Buffer.concat(parts.map((part) => part.data));
}

const REQUEST = 'POST /v1/chat HTTP/1.1\r\nHost: local\r\n\r\n';
/** Each sends `head` and END, and reads the answer of 42 bytes. */
const ways = {
  'write and read':
    "os.write(s.fileno(), head + b'END'); left = 42\nwhile left: left -= len(os.read(s.fileno(), left))",
  'send and recv': "s.sendall(head + b'END'); take(s, 42)",
  'writev and readv':
    "os.writev(s.fileno(), [b'', head[:7], head[7:], b'', b'E', b'ND']); a, b, c = bytearray(10), bytearray(1), bytearray(90); print(os.readv(s.fileno(), [a, b, c]))",
  'sendmsg and recvmsg':
    "s.sendmsg([head[:5], head[5:], b'END']); a, b = bytearray(40), bytearray(60); print(s.recvmsg_into([a, b]))",
};
for (const [name, program] of Object.entries(ways)) {
  test(`HTTP that moves by ${name} is told, byte for byte`, async () => {
    const seen = await python(`s = connect()\n${program}`);
    assert.equal(bytesOf(seen, 'write').toString(), `${REQUEST}END`);
    assert.equal(bytesOf(seen, 'read').toString(), ANSWER);
    const [open] = seen.of('net_open');
    assert.ok(seen.of('plain_data').every((event) => event.stream_id === open?.socket_id));
  });
}

test('20 MB in one write, and as many read, are told byte for byte', async () => {
  const seen = await python(`
s = connect(); body = bytearray(${BIG_BYTES})
memoryview(body).cast('I')[:] = array.array('I', range(0, ${BIG_BYTES}, 4))
s.sendall(b'GET /big HTTP/1.1\\r\\n\\r\\n'); take(s, 19 + ${BIG_BYTES}); s.close()
s = connect(); print(s.send(head)); print(os.write(s.fileno(), body)); s.shutdown(socket.SHUT_WR)`);
  const [first, second] = seen.of('net_open');
  const of = (id: bigint | undefined, direction: string) =>
    Buffer.concat(
      seen
        .of('plain_data')
        .filter((e) => e.stream_id === id && e.direction === direction)
        .map((e) => e.data),
    );
  assert.equal(digest(of(first?.socket_id, 'read').subarray(19)), digest(big));
  assert.equal(digest(of(second?.socket_id, 'write').subarray(REQUEST.length)), digest(big));
});
