import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, PYTHON, type Seen, seenOf } from './watch.ts';

const BIG_BYTES = 5_000_000;
const big = Buffer.alloc(BIG_BYTES);
for (let at = 0; at < BIG_BYTES; at += 4) big.writeUInt32LE(at, at);

const watch = openWatch({ discover_by_traffic: true });
const folder = mkdtempSync(join(tmpdir(), 'undersight-tls-'));
const certificate = createCertificate(folder);
/** What each client said first, by the client's port. */
const firstWords = new Map<number, string>();
/** Answers the big text to GET, and `done` to whatever ends in END. */
const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
  let got = 0;
  socket.once('data', (data) => firstWords.set(socket.remotePort ?? 0, data.toString('latin1', 0, 2).trim()));
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (got === 0 && data.toString('latin1', 0, 3) === 'GET') socket.write(big);
    else if (data.toString('latin1', data.length - 4) === 'END\n') socket.write('done');
    got += data.length;
  });
});
let port = 0;

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
  writeFileSync(join(folder, 'big'), big);
  const libraries = execFileSync(PYTHON, ['-c', "import ssl; print(open('/proc/self/maps').read())"], {
    encoding: 'utf8',
  });
  const files = [...new Set([...libraries.matchAll(/\S*\/lib(?:ssl|crypto)\S*/g)].map(([file]) => file))];
  const found = [process.execPath, ...files].flatMap((file) => locateTls(file) ?? []);
  assert.ok(found.length >= 2);
  for (const library of found) assert.equal(watch.probes.attachTls(library), 'attached');
});
after(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

const prologue = `
import os, socket, ssl, sys
def context():
    return ssl.create_default_context(cafile='${certificate.authority_path}')
def connect():
    return context().wrap_socket(socket.create_connection(('127.0.0.1', int(os.environ['PORT']))), server_hostname='localhost')
def take(s, n):
    while n: n -= len(s.recv(min(n, 65536)))
`;
const python = (program: string) => {
  process.env.PORT = String(port);
  return watch.run(PYTHON, '-c', prologue + program);
};

/** One direction of one connection, whole; fails when a byte is missing. */
function plaintext(seen: Seen, direction: 'read' | 'write', connection?: bigint): Buffer {
  const parts = seen
    .of('tls_data')
    .filter((event) => event.direction === direction && event.connection === (connection ?? event.connection));
  let offset = 0n;
  for (const part of parts) {
    assert.equal(part.offset, offset);
    assert.equal(part.lost_bytes, 0);
    offset += BigInt(part.data.length);
  }
  return Buffer.concat(parts.map((part) => part.data));
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('5 MB written in one call arrive byte for byte, with the socket that carried them', async () => {
  const seen = await python(
    `s = connect(); s.sendall(open('${folder}/big', 'rb').read()); s.sendall(b'END\\n'); take(s, 4); s.close()`,
  );
  assert.equal(digest(plaintext(seen, 'write')), digest(Buffer.concat([big, Buffer.from('END\n')])));
  assert.equal(plaintext(seen, 'read').toString(), 'done');
  const [open] = seen.of('net_open');
  assert.equal(open?.peer.port, port);
  assert.ok(seen.of('tls_data').every((event) => event.socket_id === open.socket_id));
  assert.ok(seen.of('tls_data').every((event) => event.call_start_ns <= event.ktime_ns));
  assert.equal(seen.of('tls_close').length, 1);
});

test('5 MB read arrive byte for byte', async () => {
  const seen = await python(`s = connect(); s.sendall(b'GET'); take(s, ${BIG_BYTES})`);
  assert.equal(digest(plaintext(seen, 'read')), digest(big));
});

test('the ClientHello of a connection is handed on, once, with its socket', async () => {
  const seen = await python(
    "s = connect(); s.sendall(b'one END\\n'); take(s, 4); s.sendall(b'two END\\n'); take(s, 4)",
  );
  const [hello, ...more] = seen.of('net_payload');
  assert.deepEqual(more, []);
  assert.equal(hello?.protocol, 'tls_client_hello');
  assert.equal(hello.socket_id, seen.of('net_open')[0]?.socket_id);
  assert.ok(Buffer.from(hello.payload).includes('localhost'));
});

test('four connections used in turns by one thread keep their sockets apart', async () => {
  const seen = await python(`
all = [connect() for _ in range(4)]
for round in range(3):
    for number, s in enumerate(all): s.sendall(b'%d END\\n' % number)
    for s in reversed(all): take(s, 4)`);
  checkApart(seen);
});

test('four connections over memory buffers keep their sockets apart', async () => {
  const seen = await python(`
import asyncio
async def one(number):
    r, w = await asyncio.open_connection('127.0.0.1', int(os.environ['PORT']), ssl=context(), server_hostname='localhost')
    for _ in range(3):
        w.write(b'%d END\\n' % number); await w.drain(); await r.readexactly(4)
    w.close()
async def main(): await asyncio.gather(*(one(number) for number in range(4)))
asyncio.run(main())`);
  checkApart(seen);
});

test('four connections of one node process keep their sockets apart', async () => {
  const program = `
    const tls = require('node:tls');
    for (let number = 0; number < 4; number++) {
      const socket = tls.connect({ port: ${port}, host: '127.0.0.1', rejectUnauthorized: false });
      let rounds = 0;
      socket.on('secureConnect', () => socket.write(number + ' END\\n'));
      socket.on('data', () => (++rounds < 3 ? socket.write(number + ' END\\n') : socket.end()));
    }`;
  checkApart(await watch.run(process.execPath, '-e', program));
});

/** Four connections, each of which wrote its own number three times; every one is tied to the socket that carried it. */
function checkApart(seen: Seen) {
  const data = seen.of('tls_data');
  const connections = [...new Set(data.map((event) => event.connection))];
  assert.equal(connections.length, 4);
  for (const connection of connections) {
    const text = plaintext(seen, 'write', connection).toString();
    assert.match(text, /^(\d END\n)\1\1$/);
    const ids = data
      .filter((event) => event.connection === connection && event.offset > 0n)
      .map((event) => event.socket_id);
    for (const id of ids) assert.equal(firstWordsOn(seen, id), text.charAt(0));
  }
}

function firstWordsOn(seen: Seen, socket_id: bigint): string | undefined {
  return firstWords.get(seen.of('net_open').find((event) => event.socket_id === socket_id)?.local.port ?? 0);
}

test('connections one after another, at the same address in memory, are told apart', async () => {
  const seen = await python(`
for number in range(10, 30):
    s = connect(); s.sendall(b'%d END\\n' % number); take(s, 4); s.close(); del s`);
  assert.equal(seen.of('tls_close').length, 20);
  const writes = seen.of('tls_data').filter((event) => event.direction === 'write');
  assert.equal(writes.length, 20);
  assert.ok(new Set(writes.map((event) => event.connection)).size < 20, 'no address was used twice');
  for (const { data, offset, socket_id } of writes) {
    assert.equal(offset, 0n);
    assert.equal(firstWordsOn(seen, socket_id), Buffer.from(data).toString('latin1', 0, 2));
  }
});

test('connections of the programs that a process becomes, at the same address in memory, are told apart', async () => {
  process.env.PORT = String(port);
  const program = `${prologue}
s = connect(); s.sendall(sys.argv[1].encode() + b' END\\n'); take(s, 4); sys.stdout.flush()
if sys.argv[1] < '34': os.execv(sys.executable, [sys.executable, '-c', os.environ['PROGRAM'], str(int(sys.argv[1]) + 1)])`;
  process.env.PROGRAM = program;
  const seen = await watch.run('setarch', '-R', PYTHON, '-c', program, '30');
  delete process.env.PROGRAM;
  const writes = seen.of('tls_data').filter((event) => event.direction === 'write');
  assert.equal(writes.length, 5);
  assert.ok(new Set(writes.map((event) => event.connection)).size < 5, 'no address was used twice');
  for (const { data, offset, socket_id } of writes) {
    assert.equal(offset, 0n);
    assert.equal(firstWordsOn(seen, socket_id), Buffer.from(data).toString('latin1', 0, 2));
  }
});

test('threads that write at the same time do not mix', async () => {
  const seen = await python(`
import threading
def one(letter):
    s = connect()
    for _ in range(20): s.sendall(letter * 50000)
    s.sendall(b'END\\n'); take(s, 4)
threads = [threading.Thread(target=one, args=(letter,)) for letter in (b'a', b'b', b'c', b'd')]
[t.start() for t in threads]; [t.join() for t in threads]`);
  const connections = new Set(seen.of('tls_data').map((event) => event.connection));
  assert.equal(connections.size, 4);
  for (const connection of connections) {
    const text = plaintext(seen, 'write', connection).toString();
    assert.equal(text, `${text.charAt(0).repeat(1_000_000)}END\n`);
  }
});

test('only what a call moved is told, when that is less than its buffer', async () => {
  const seen = await python(
    "s = connect(); s.sendall(b'END\\n'); b = bytearray(b'secret' * 100); s.recv_into(b); s.close()",
  );
  assert.equal(plaintext(seen, 'read').toString(), 'done');
});

test('an unwatched process that sends a request to an LLM API is watched from that request on', async () => {
  const request = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n\r\nEND\n';
  const seen =
    await runUnwatched(`s = connect(); s.sendall(b'hello END\\n'); take(s, 4); s.sendall(${JSON.stringify(request)}.encode()); take(s, 4)
os.close(os.open('/etc/hostname', os.O_RDONLY)); os.system('exit 3')`);
  const [agent] = seen.of('agent_seen');
  assert.equal(agent?.pid, seen.pid);
  const writes = seen.of('tls_data').filter((event) => event.direction === 'write');
  assert.deepEqual(
    writes.map((event) => Buffer.from(event.data).toString()),
    [request],
  );
  assert.ok(seen.of('file_open').some((event) => event.path === '/etc/hostname'));
  assert.ok(seen.of('process_exit').some((event) => event.exit_code === 3 && event.pid !== seen.pid));
  assert.ok(seen.of('process_exit').some((event) => event.process === agent?.process));
});

test('every API of models that we can read is known by its path, whatever comes before and after', async () => {
  for (const path of [
    '/v1/messages',
    '/anthropic/v1/messages?beta=true',
    '/v1/responses',
    '/openai/responses?api-version=2',
    '/api/v1/chat/completions',
    '/v1beta/models/gemini-pro:generateContent?key=k',
    '/v1beta/models/gemini-pro:streamGenerateContent?alt=sse',
    '/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict',
    '/v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict',
  ]) {
    const seen = await runUnwatched(say(`POST ${path} HTTP/1.1`));
    assert.ok(
      seen.of('agent_seen').some(({ pid }) => pid === seen.pid),
      path,
    );
  }
});

test('an unwatched process that sends anything else stays unwatched', async () => {
  const seen = await runUnwatched(
    say(
      'POST /v1/other HTTP/1.1\r\nx: /v1/messages HTTP/1.1',
      'GET /v1/messages HTTP/1.1',
      'POST /api/v10/channels/1/messages HTTP/1.1',
      'POST /v1/messages/count_tokens HTTP/1.1',
      'POST /v1/messagesender HTTP/1.1',
      'POST /survey/responses/7 HTTP/1.1',
      'POST /v1/responses-old HTTP/1.1',
      'POST /chat/completionsque HTTP/1.1',
      'POST /generateContentAndMore HTTP/1.1',
      'POST /x:generateContents HTTP/1.1',
    ),
  );
  assert.deepEqual(seen.all, []);
});

/** A program that sends these, one after the other. */
function say(...heads: readonly string[]): string {
  return `s = connect()
for head in ${JSON.stringify(heads)}: s.sendall(head.encode() + b'\\r\\n\\r\\nEND\\n'); take(s, 4)`;
}

async function runUnwatched(program: string): Promise<Seen> {
  const child = spawn(PYTHON, ['-c', prologue + program], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'inherit',
  });
  await once(child, 'exit');
  return seenOf(child.pid ?? 0, watch.take());
}
