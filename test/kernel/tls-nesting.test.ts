import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { findSystemLibraries } from '../../src/targets/tls-files.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, PYTHON, type Seen } from './watch.ts';

const BODY = 'answer '.repeat(5000);
const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-nesting-'));
const { key, cert } = createCertificate(folder);
const answer = (_request: unknown, response: ServerResponse) => response.end(BODY);
const server = https.createServer({ key, cert }, answer);
/** A proxy that is itself reached over TLS. */
const proxy = https.createServer({ key, cert });
proxy.on('connect', (request, socket) => {
  const onward = net.connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
    socket.write(`HTTP/1.1 200 ${http.STATUS_CODES[200]}\r\n\r\n`);
    onward.pipe(socket).pipe(onward);
  });
  for (const one of [onward, socket]) one.on('error', () => {});
});
const portOf = (one: typeof server) => (one.address() as AddressInfo).port;

before(async () => {
  await Promise.all([server, proxy].map((one) => once(one.listen(0, '127.0.0.1'), 'listening')));
  for (const file of findSystemLibraries()) {
    const library = locateTls(file);
    if (library !== undefined) assert.equal(watch.probes.attachTls(library), 'attached', file);
  }
});
after(async () => {
  for (const one of [server, proxy]) one.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

/** What each connection wrote and read, without gaps. */
function streams(seen: Seen) {
  const found = new Map<bigint, { write: string; read: string; sockets: Set<bigint> }>();
  for (const { connection, direction, data, offset, lost_bytes, socket_id } of seen.of('tls_data')) {
    const one = found.get(connection) ?? { write: '', read: '', sockets: new Set<bigint>() };
    assert.equal(offset, BigInt(one[direction].length));
    assert.equal(lost_bytes, 0);
    one[direction] += Buffer.from(data).toString('latin1');
    one.sockets.add(socket_id);
    found.set(connection, one);
  }
  return [...found.values()];
}

test('TLS within TLS: both layers are told, each whole and once', async (t) => {
  try {
    const features = execFileSync('curl', ['--version'], { encoding: 'utf8' });
    if (!/HTTPS-proxy/.test(features)) return t.skip('this curl cannot reach a proxy over TLS');
  } catch {
    return t.skip('no curl');
  }
  const reach = ['--insecure', '--proxy-insecure', '--proxy', `https://127.0.0.1:${portOf(proxy)}`];
  const seen = await watch.run('curl', '-s', '-o', '/dev/null', ...reach, `https://127.0.0.1:${portOf(server)}/inner`);
  const [outer, inner, ...more] = streams(seen).sort(
    (a, b) => Number(b.write.startsWith('CONNECT')) - Number(a.write.startsWith('CONNECT')),
  );
  assert.deepEqual(more, []);
  assert.match(outer?.write ?? '', /^CONNECT 127\.0\.0\.1:/);
  assert.match(inner?.write ?? '', /^GET \/inner HTTP\/1\.1\r\n/);
  assert.ok(inner?.read.endsWith(BODY));
  for (const { sockets } of [outer, inner].filter((one) => one !== undefined)) {
    sockets.delete(0n);
    assert.deepEqual([...sockets], [seen.of('net_open').find(({ peer }) => peer.port === portOf(proxy))?.socket_id]);
  }
});

const python = (program: string) =>
  watch.run(
    PYTHON,
    '-c',
    `import socket, ssl, threading
context = ssl._create_unverified_context()
def connect(): return context.wrap_socket(socket.create_connection(('127.0.0.1', ${portOf(server)})))
def ask(s, path): s.sendall(b'GET /%d HTTP/1.1\\r\\nhost: h\\r\\n\\r\\n' % path)
def take(s):
    got = b''
    while not got.endswith(b'answer '): got += s.recv(16384)
def run(*a):
    t = threading.Thread(target=a[0], args=a[1:]); t.start(); t.join()
${program}`,
  );

test('a connection that goes from thread to thread, and is freed by yet another, stays one', async () => {
  const seen = await python(`
s = connect()
for path in range(3): run(ask, s, path); run(take, s)
run(s.close)
s = None`);
  const [one, ...more] = streams(seen);
  assert.deepEqual(more, []);
  assert.equal(one?.write.match(/GET/g)?.length, 3);
  assert.equal(one.read.split(BODY).length, 4);
  assert.equal(one.sockets.size, 1);
  assert.equal(seen.of('tls_close').length, 1);
});

test('connections that threads use, free and make anew at once do not mix', async () => {
  const seen = await python(`
def one(first):
    for path in range(first, first + 5):
        s = connect(); ask(s, path); take(s); s.close(); s = None
threads = [threading.Thread(target=one, args=(first * 100,)) for first in (1, 2, 3)]
[t.start() for t in threads]; [t.join() for t in threads]`);
  assert.equal(seen.of('tls_close').length, 15);
  const writes = seen.of('tls_data').filter(({ direction }) => direction === 'write');
  const texts = writes.map(({ data }) => Buffer.from(data).toString('latin1').split(' ')[1]);
  assert.equal(new Set(texts).size, 15);
  assert.ok(writes.every(({ offset }) => offset === 0n));
  assert.equal(new Set(writes.map(({ socket_id }) => socket_id)).size, 15);
});
