import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openWatch, PYTHON, type Seen } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-network-'));
/** Answers every byte it gets with ten. */
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(Buffer.alloc(data.length * 10, 'y')));
});
const server6 = net.createServer((socket) => socket.end('six'));
const serverUnix = net.createServer((socket) => socket.end('unix'));
const abstractName = `undersight-${process.pid}`;
let port = 0;
let port6 = 0;

before(async () => {
  for (const [one, where] of [
    [server, { port: 0, host: '127.0.0.1' }],
    [server6, { port: 0, host: '::1' }],
    [serverUnix, { path: join(folder, 'socket') }],
  ] as const)
    await once(one.listen(where), 'listening');
  port = (server.address() as net.AddressInfo).port;
  port6 = (server6.address() as net.AddressInfo).port;
});
after(async () => {
  for (const one of [server, server6, serverUnix]) one.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

const python = (...lines: string[]) => watch.run(PYTHON, '-c', ['import os, socket, time', ...lines].join('\n'));

function totals(seen: Seen, socket_id: bigint | undefined) {
  const io = seen.of('net_io').filter((event) => event.socket_id === socket_id);
  return {
    sent: Number(io.reduce((total, event) => total + event.bytes_sent, 0n)),
    received: Number(io.reduce((total, event) => total + event.bytes_received, 0n)),
    closed: io.filter((event) => event.closed).length,
  };
}

test('a TCP connection is told with both ends, its bytes, and its round-trip time when it ends', async () => {
  const seen = await python(
    `s = socket.create_connection(('127.0.0.1', ${port})); s.sendall(b'x' * 100); left = 1000`,
    'while left: left -= len(s.recv(left))',
    's.close()',
  );
  const [open] = seen.of('net_open');
  assert.equal(seen.of('net_open').length, 1);
  assert.ok(open);
  assert.deepEqual(open.peer, { family: 'ipv4', address: '127.0.0.1', port });
  assert.equal(open.local.address, '127.0.0.1');
  assert.ok(open.local.port > 0);
  assert.deepEqual([open.operation, open.transport, open.errno], ['connect', 'tcp', 0]);
  assert.deepEqual(totals(seen, open.socket_id), { sent: 100, received: 1000, closed: 1 });
  const last = seen.of('net_io').at(-1);
  assert.ok(last && last.rtt_us > 0 && last.rtt_us < 1_000_000);
  assert.equal(last.retransmits, 0);
});

test('a connection that is left open ends with the process', async () => {
  const seen = await python(
    `s = socket.create_connection(('127.0.0.1', ${port})); s.sendall(b'x'); s.recv(10); os._exit(0)`,
  );
  const [open] = seen.of('net_open');
  assert.deepEqual(totals(seen, open?.socket_id), { sent: 1, received: 10, closed: 1 });
  assert.ok((seen.of('net_io').at(-1)?.rtt_us ?? 0) > 0);
});

test('every way to send and receive is counted, peeking is not', async () => {
  const seen = await python(
    `s = socket.create_connection(('127.0.0.1', ${port})); f = s.fileno()`,
    'def take(n):',
    '    while n: n -= len(s.recv(n))',
    "os.write(f, b'x' * 1); os.writev(f, [b'x', b'x']); s.send(b'x' * 3); s.sendmsg([b'x' * 2, b'x' * 2]); take(100)",
    `open('${folder}/five', 'wb').write(b'x' * 5); os.sendfile(f, os.open('${folder}/five', os.O_RDONLY), 0, 5)`,
    'while len(s.recv(50, socket.MSG_PEEK)) < 50: time.sleep(0.001)',
    's.recv(10, socket.MSG_PEEK); os.read(f, 10); os.readv(f, [bytearray(5), bytearray(5)]); s.recvmsg(10); s.recv_into(bytearray(10)); take(10)',
  );
  const [open] = seen.of('net_open');
  assert.deepEqual(totals(seen, open?.socket_id), { sent: 15, received: 150, closed: 1 });
});

test('a datagram that comes back with an error is not received', async () => {
  const seen = await python(
    't = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind(("127.0.0.1", 0)); nobody = t.getsockname(); t.close()',
    's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.IPPROTO_IP, 11, 1) # IP_RECVERR',
    "import select; s.connect(nobody); s.send(b'x' * 100); p = select.poll(); p.register(s, 0); p.poll()",
    'assert len(s.recvmsg(200, 200, socket.MSG_ERRQUEUE)[0]) == 100; s.close()',
  );
  assert.deepEqual(totals(seen, seen.of('net_open')[0]?.socket_id), { sent: 100, received: 0, closed: 1 });
});

test('IPv6 and unix sockets are told by their addresses', async () => {
  const seen = await python(
    `s = socket.create_connection(('::1', ${port6})); s.recv(10); s.close()`,
    `s = socket.socket(socket.AF_UNIX); s.connect('${join(folder, 'socket')}'); s.recv(10); s.close()`,
    `l = socket.socket(socket.AF_UNIX); l.bind('\\0${abstractName}'); l.listen()`,
    `s = socket.socket(socket.AF_UNIX); s.connect('\\0${abstractName}'); a, _ = l.accept(); a.send(b'xx'); a.close(); s.recv(9)`,
  );
  const told = seen
    .of('net_open')
    .map(({ operation, transport, local, peer }) => [operation, transport, local.address, peer.address]);
  assert.deepEqual(told, [
    ['connect', 'tcp', '::1', '::1'],
    ['connect', 'unix', '', join(folder, 'socket')],
    ['listen', 'unix', `@${abstractName}`, ''],
    ['connect', 'unix', '', `@${abstractName}`],
    ['accept', 'unix', `@${abstractName}`, ''],
  ]);
  const [ipv6, unix, , , accepted] = seen.of('net_open');
  assert.deepEqual(totals(seen, ipv6?.socket_id), { sent: 0, received: 3, closed: 1 });
  assert.deepEqual(totals(seen, unix?.socket_id), { sent: 0, received: 4, closed: 1 });
  assert.deepEqual(totals(seen, accepted?.socket_id), { sent: 2, received: 0, closed: 1 });
});

test('listening and accepting are told', async () => {
  const seen = await python(
    "l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname()); a, peer = l.accept()",
    "c.sendall(b'xyz'); a.recv(3); os._exit(peer[1] % 256)",
  );
  const [listen, connect, accept] = seen.of('net_open');
  assert.deepEqual(
    seen.of('net_open').map((event) => event.operation),
    ['listen', 'connect', 'accept'],
  );
  assert.equal(listen?.local.port, connect?.peer.port);
  assert.equal(accept?.local.port, connect?.peer.port);
  assert.equal(accept?.peer.port, connect?.local.port);
  assert.equal(seen.of('process_exit')[0]?.exit_code, (accept?.peer.port ?? 0) % 256);
  assert.deepEqual(totals(seen, accept?.socket_id), { sent: 0, received: 3, closed: 1 });
});

test('a connection that is refused says so, at once or later', async () => {
  const closed = net.createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const { port: refused } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const seen = await python(
    's = socket.socket()',
    `try: s.connect(('127.0.0.1', ${refused}))`,
    'except ConnectionRefusedError: pass',
    `s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', ${refused})); time.sleep(0.05); s.close()`,
    's = socket.socket(socket.AF_UNIX)',
    `try: s.connect('${join(folder, 'nobody')}')`,
    'except FileNotFoundError: pass',
  );
  assert.deepEqual(
    seen.of('net_open').map(({ peer, errno }) => [peer.address, peer.port, errno]),
    [
      ['127.0.0.1', refused, 111],
      ['127.0.0.1', refused, 111],
      [join(folder, 'nobody'), 0, 2],
    ],
  );
});

test('a connection that fails long after it was asked for is told again, with the error and what it sent in vain', async () => {
  const seen = await python(
    "l = socket.create_server(('127.0.0.1', 0), backlog=0); address = l.getsockname(); sockets = []",
    'for _ in range(4):',
    '    s = socket.socket(); s.setblocking(False); s.connect_ex(address); sockets.append(s)',
    'l.close()',
    'while s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0: time.sleep(0.01)',
    's.close()',
  );
  const opens = seen.of('net_open').filter((event) => event.operation === 'connect');
  const failed = opens.find((event) => event.errno !== 0);
  assert.equal(failed?.errno, 111);
  assert.equal(failed.pid, seen.pid);
  const asked = opens.find((event) => event.errno === 0 && event.socket_id === failed.socket_id);
  assert.deepEqual(asked?.peer, failed.peer);
  const end = seen.of('net_io').find((event) => event.closed && event.socket_id === failed.socket_id);
  assert.ok((end?.retransmits ?? 0) >= 1);
});

test('a connection that is given up before the other side answered is told as cancelled', async () => {
  const seen = await python(
    "l = socket.create_server(('127.0.0.1', 0), backlog=0); address = l.getsockname(); sockets = []",
    'for _ in range(4):',
    '    s = socket.socket(); s.setblocking(False); s.connect_ex(address); sockets.append(s)',
    'time.sleep(0.05); s.close()',
  );
  const opens = seen.of('net_open').filter((event) => event.operation === 'connect');
  const given_up = opens.find((event) => event.errno !== 0);
  assert.equal(given_up?.errno, 125);
  const asked = opens.find((event) => event.errno === 0 && event.socket_id === given_up.socket_id);
  assert.deepEqual(asked?.peer, given_up.peer);
});

test('a connection made without blocking is told once, and its bytes are counted', async () => {
  const seen = await python(
    `import select; s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', ${port}))`,
    `select.select([], [s], []); s.connect_ex(('127.0.0.1', ${port})); s.send(b'x'); select.select([s], [], []); s.recv(10); s.close()`,
  );
  assert.deepEqual(
    seen.of('net_open').map(({ peer, errno }) => [peer.port, errno]),
    [[port, 0]],
  );
  assert.deepEqual(totals(seen, seen.of('net_open')[0]?.socket_id), { sent: 1, received: 10, closed: 1 });
});

test('each peer of a datagram socket is told once, and DNS answers are handed on', async () => {
  const dns = dgram.createSocket('udp4');
  dns.on('message', (_, from) => dns.send('an answer', from.port, from.address));
  dns.bind(53, '127.0.0.77');
  await once(dns, 'listening');
  const seen = await python(
    "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'one', ('127.0.0.77', 53)); u.recvfrom(100)",
    "u.sendto(b'two', ('127.0.0.77', 53)); u.recvmsg(100); u.sendto(b'other', ('127.0.0.1', 9)); u.close()",
    "c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.connect(('127.0.0.77', 53)); c.send(b'x'); c.recv(5); c.close()",
  );
  dns.close();
  const told = seen
    .of('net_open')
    .map(({ operation, transport, peer }) => [operation, transport, peer.address, peer.port]);
  assert.deepEqual(told, [
    ['connect', 'udp', '127.0.0.77', 53],
    ['connect', 'udp', '127.0.0.1', 9],
    ['connect', 'udp', '127.0.0.77', 53],
  ]);
  const [first, , third] = seen.of('net_open');
  assert.deepEqual(totals(seen, first?.socket_id), { sent: 11, received: 18, closed: 1 });
  assert.deepEqual(
    seen
      .of('net_payload')
      .map(({ protocol, socket_id, payload }) => [protocol, socket_id, Buffer.from(payload).toString()]),
    [
      ['dns', first?.socket_id, 'an answer'],
      ['dns', first?.socket_id, 'an answer'],
      ['dns', third?.socket_id, 'an an'],
    ],
  );
});

test('each peer of a raw socket is told once', async () => {
  const seen = await python(
    's = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)',
    "for host in ['127.0.0.1', '127.0.0.2', '127.0.0.1']: s.sendto(b'ten bytes.', (host, 0))",
    's.close()',
  );
  assert.deepEqual(
    seen.of('net_open').map(({ operation, transport, peer }) => [operation, transport, peer.address]),
    [
      ['connect', 'other', '127.0.0.1'],
      ['connect', 'other', '127.0.0.2'],
    ],
  );
  assert.equal(totals(seen, seen.of('net_open')[0]?.socket_id).sent, 30);
});

test('the resolver of the C library is understood: both of its answers are handed on', async () => {
  const dns = dgram.createSocket('udp4');
  dns.on('message', (query, from) => {
    const answer = Buffer.from(query);
    answer.writeUInt16BE(0x8183, 2);
    dns.send(answer, from.port, from.address);
  });
  dns.bind(53, '127.0.0.77');
  await once(dns, 'listening');
  const program = `echo nameserver 127.0.0.77 > ${folder}/resolv.conf && mount --bind ${folder}/resolv.conf /etc/resolv.conf && getent ahosts undersight.test`;
  const seen = await watch.run('unshare', '--mount', '/bin/sh', '-c', program);
  dns.close();
  const answers = seen.of('net_payload').map(({ payload }) => Buffer.from(payload).toString('latin1'));
  assert.ok(answers.length >= 2);
  assert.ok(answers.every((answer) => answer.includes('undersight')));
});

test('a connection that was open before we looked is told at its next use', async () => {
  const seen = await watch.run(
    PYTHON,
    '-c',
    `import os, socket; s = socket.create_connection(('127.0.0.1', ${port})); s.set_inheritable(True)
os.execv('/bin/sh', ['sh', '-c', f'/bin/echo hello >&{s.fileno()}'])`,
  );
  const [connect, inherited] = seen.of('net_open');
  assert.equal(inherited?.operation, 'inherited');
  assert.deepEqual(inherited?.peer, connect?.peer);
  assert.deepEqual(inherited?.local, connect?.local);
  assert.equal(totals(seen, inherited?.socket_id).sent, 6);
});
