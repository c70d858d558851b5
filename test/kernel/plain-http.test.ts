import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openWatch, PYTHON, type Seen, seenOf } from './watch.ts';

const BIG_BYTES = 20_000_000;
const big = Buffer.alloc(BIG_BYTES);
for (let at = 0; at < BIG_BYTES; at += 4) big.writeUInt32LE(at, at);
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-plain-'));
/** Answers whatever ends in END; `GET /big` with 20 MB. */
const serve = (socket: net.Socket) => {
  let tail = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    tail = (tail + data.toString('latin1')).slice(-3);
    if (data.toString('latin1', 0, 8) === 'GET /big')
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), big]));
    else if (tail === 'END') socket.write(ANSWER);
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

const message = (seen: Seen, direction: 'read' | 'write') =>
  Buffer.concat(
    seen
      .of('plain_data')
      .filter((event) => event.direction === direction)
      .map((event) => event.data),
  ).toString();

/** The beginning of struct msghdr and struct mmsghdr, from Python. */
const mmsg = `
class Iov(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('bytes', ctypes.c_size_t)]
class Msg(ctypes.Structure): _fields_ = [('name', ctypes.c_void_p), ('name_bytes', ctypes.c_uint), ('iov', ctypes.c_void_p), ('count', ctypes.c_size_t), ('control', ctypes.c_void_p), ('control_bytes', ctypes.c_size_t), ('flags', ctypes.c_int)]
class Mmsg(ctypes.Structure): _fields_ = [('head', Msg), ('bytes', ctypes.c_uint)]
keep = []
def mmsgs(*lists):
    made = (Mmsg * len(lists))()
    for one, parts in zip(made, lists):
        buffers = [part if isinstance(part, ctypes.Array) else ctypes.create_string_buffer(part, len(part)) for part in parts]
        iovs = (Iov * len(parts))(*[Iov(ctypes.addressof(b), len(b)) for b in buffers]); keep.append((buffers, iovs))
        one.head.iov = ctypes.addressof(iovs); one.head.count = len(parts)
    return made
`;

test('HTTP that moves by sendmmsg and recvmmsg is told, message by message', async () => {
  const seen = await python(`${mmsg}
s = connect(); sent = mmsgs([head[:9], head[9:]], [b'E', b'N'], [b'D'])
assert libc.sendmmsg(s.fileno(), sent, 3, 0) == 3
room = mmsgs([bytes(30), bytes(200)])
assert libc.recvmmsg(s.fileno(), room, 1, 0, None) == 1`);
  assert.equal(bytesOf(seen, 'write').toString(), `${REQUEST}END`);
  assert.equal(bytesOf(seen, 'read').toString(), ANSWER);
});

test('a body in a thousand buffers comes whole', async () => {
  const seen = await python(`
parts = [head] + [bytes([97 + n % 26]) * (n * 7 % 5000) for n in range(1000)] + [b'END']
s = connect(); total = b''.join(parts); at = os.writev(s.fileno(), parts); assert at == len(total)
take(s, 42)`);
  const letters = Array.from({ length: 1000 }, (_, n) => String.fromCharCode(97 + (n % 26)).repeat((n * 7) % 5000));
  assert.ok(bytesOf(seen, 'write').toString() === `${REQUEST}${letters.join('')}END`);
});

test('what is only peeked at is not told twice', async () => {
  const seen = await python(
    "s = connect(); s.sendall(head + b'END'); s.recv(99, socket.MSG_PEEK); s.recvmsg(99, 0, socket.MSG_PEEK); take(s, 42)",
  );
  assert.equal(bytesOf(seen, 'read').toString(), ANSWER);
});

test('a file that is sent without passing through memory is a gap of its size', async () => {
  const seen = await python(`
import tempfile
f = tempfile.TemporaryFile(); f.write(b'x' * 70000); f.flush()
s = connect(); s.sendall(head); os.sendfile(s.fileno(), f.fileno(), 0, 70000); s.sendall(b'END')`);
  const writes = seen.of('plain_data').filter((event) => event.direction === 'write');
  assert.deepEqual(
    writes.map(({ offset, data, lost_bytes }) => [Number(offset), data.length, lost_bytes]),
    [
      [0, REQUEST.length, 0],
      [REQUEST.length, 0, 70000],
      [REQUEST.length + 70000, 3, 0],
    ],
  );
});

test('a unix socket with a name is told like TCP', async () => {
  const seen = await python(`
s = socket.socket(socket.AF_UNIX); s.connect('${join(folder, 'socket')}'); s.sendall(head + b'END'); take(s, 42)`);
  assert.equal(bytesOf(seen, 'write').toString(), `${REQUEST}END`);
  assert.equal(bytesOf(seen, 'read').toString(), ANSWER);
  assert.equal(seen.of('plain_data')[0]?.stream_id, seen.of('net_open')[0]?.socket_id);
});

test('both ends are told when both are watched, each with its own socket', async () => {
  const seen = await python(`
l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); s, _ = l.accept()
c.sendall(head); s.recv(99); s.sendall(b'HTTP/1.1 204 No Content\\r\\n\\r\\n'); c.recv(99)`);
  const of = (operation: string) => seen.of('net_open').find((event) => event.operation === operation)?.socket_id;
  assert.deepEqual(
    seen.of('plain_data').map((event) => [event.direction, event.stream_id]),
    [
      ['write', of('connect')],
      ['read', of('accept')],
      ['write', of('accept')],
      ['read', of('connect')],
    ],
  );
});

test('nothing is told of what begins otherwise: TLS, a tunnel, another protocol, a request that comes later', async () => {
  for (const first of [
    '\\x16\\x03\\x01\\x00\\x05hello',
    'CONNECT a:443 HTTP/1.1\\r\\n\\r\\n',
    'SSH-2.0-x\\r\\n',
    'GETX /',
    '\\x05\\x01\\x00',
  ]) {
    const seen = await python(`s = connect(); s.sendall(b'${first}'); s.sendall(head + b'END'); take(s, 42)`);
    assert.deepEqual(seen.of('plain_data'), [], first);
  }
});

test('a connection that is older than the watching is told from its next request on', async () => {
  const child = spawn(
    PYTHON,
    [
      '-c',
      `${prologue}
s = connect(); s.sendall(head + b'END'); s.recv(20); print('there', flush=True); sys.stdin.readline()
take(s, 22); s.sendall(head + b'END'); take(s, 42)`,
    ],
    { env: { ...process.env, PORT: String(port) }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  watch.probes.watch(child.pid ?? 0, 0n);
  child.stdin.end('\n');
  await once(child, 'exit');
  const seen = seenOf(child.pid ?? 0, watch.take());
  assert.equal(message(seen, 'write'), `${REQUEST}END`);
  assert.equal(message(seen, 'read'), ANSWER);
  assert.equal(seen.of('net_open')[0]?.operation, 'inherited');
});

test('a child that writes to a connection it inherited is told, too', async () => {
  const seen = await python(`
s = connect(); os.set_inheritable(s.fileno(), True)
program = "import os; os.write(%d, b'END'); os.read(%d, 42)" % (s.fileno(), s.fileno())
if os.fork() == 0: os.write(s.fileno(), head); os.execl(sys.executable, sys.executable, '-c', program)
os.wait()`);
  assert.equal(message(seen, 'write'), `${REQUEST}END`);
  assert.equal(message(seen, 'read'), ANSWER);
});

test('of a write of more than 32 MiB these are told, and what is left out is a gap', async () => {
  const large = openWatch({ ring_bytes: 1 << 27 });
  const told_bytes = 32 << 20;
  const seen = await large.run(
    PYTHON,
    '-c',
    `${prologue}
s = connect(); s.send(head + bytes(40 << 20) + b'END'); take(s, ${ANSWER.length})`,
  );
  assert.deepEqual(
    large.probes.readLosses().filter((count) => count > 0),
    [1],
  );
  await assert.rejects(large.close());
  const writes = seen.of('plain_data').filter((event) => event.direction === 'write');
  assert.equal(
    writes.reduce((total, event) => total + event.data.length, 0),
    told_bytes,
  );
  assert.equal(writes.at(-1)?.lost_bytes, REQUEST.length + (40 << 20) + 3 - told_bytes);
});

test('a download that is faster than it can be read leaves room for everything else', async () => {
  const small = openWatch({ ring_bytes: 1 << 20 });
  const seen = await small.run(
    PYTHON,
    '-c',
    `${prologue}
s = connect(); s.sendall(b'GET /big HTTP/1.1\\r\\n\\r\\n'); take(s, 19 + ${BIG_BYTES})
for n in range(100): open('/etc/hostname').close()`,
  );
  await small.close();
  const reads = seen.of('plain_data').filter((event) => event.direction === 'read');
  const sum = reads.reduce((total, event) => total + event.data.length + event.lost_bytes, 0);
  assert.equal(sum, 19 + BIG_BYTES);
  assert.ok(reads.some((event) => event.lost_bytes > 0));
  assert.equal(seen.of('file_open').filter((event) => event.path === '/etc/hostname').length, 100);
});
