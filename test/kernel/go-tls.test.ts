import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { buildGo, hasGo, NO_GO } from '../go-program.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, type Seen, seenOf } from './watch.ts';

const source = readFileSync(join(import.meta.dirname, 'go-client.go'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'undersight-go-'));
const WAIT_MS = 300;
const builds = [
  { name: 'with symbols', flags: [] },
  { name: 'stripped', flags: ['-ldflags=-s -w'] },
  { name: 'position-independent and stripped', flags: ['-buildmode=pie', '-ldflags=-s -w'] },
];
const skip = hasGo ? false : NO_GO;
const watch = hasGo ? openWatch({ discover_by_traffic: true }) : undefined;
const certificate = createCertificate(folder);
/** What came over each connection, by the client's port; all of it was sent back. */
const received = new Map<number, Buffer[]>();
const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
  const pieces: Buffer[] = [];
  received.set(socket.remotePort ?? 0, pieces);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    pieces.push(data);
    if (pieces.length === 1 && data.toString('latin1', 0, 4) === 'WAIT') {
      socket.pause();
      setTimeout(() => socket.resume(), WAIT_MS);
    }
    socket.write(data);
  });
});
let port = 0;

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});
after(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await watch?.close();
});

async function run(program: string, ...args: string[]): Promise<Seen> {
  assert.ok(watch);
  const seen = await watch.run(program, String(port), certificate.authority_path, ...args);
  const exit = seen.of('process_exit').find(({ pid }) => pid === seen.pid);
  assert.deepEqual(
    { code: exit?.exit_code, signal: exit?.signal },
    { code: 0, signal: 0 },
    'the program was disturbed',
  );
  return seen;
}

/** Every connection's two directions are what the server got, on the socket that carried them. */
function assertWhole(seen: Seen, connections: number): void {
  const data = seen.of('tls_data');
  const sockets = new Set(data.map((event) => event.socket_id));
  assert.equal(sockets.size, connections);
  for (const socket_id of sockets) {
    const local = seen.of('net_open').find((event) => event.socket_id === socket_id)?.local.port ?? 0;
    const expected = Buffer.concat(received.get(local) ?? []);
    for (const direction of ['write', 'read'] as const) {
      let offset = 0n;
      const parts = data.filter((event) => event.socket_id === socket_id && event.direction === direction);
      for (const part of parts) {
        assert.equal(part.offset, offset, direction);
        assert.equal(part.lost_bytes, 0);
        offset += BigInt(part.data.length);
      }
      const bytes = Buffer.concat(parts.map((part) => part.data));
      assert.ok(
        bytes.equals(expected),
        `${direction} of ${local}: ${bytes.length} bytes, not these ${expected.length}`,
      );
    }
  }
}

for (const { name, flags } of builds) {
  test(`a Go program ${name}: what many goroutines write and read arrives byte for byte`, { skip }, async () => {
    const program = buildGo(folder, name.replaceAll(' ', '-'), source, ...flags);
    const library = locateTls(program);
    assert.ok(library !== undefined);
    assert.equal(watch?.probes.attachTls(library), 'attached');
    const seen = await run(program, 'many', '40', '8');
    assertWhole(seen, 40);
    assert.equal(seen.of('tls_close').length, 40);
  });
}

test('calls whose stack has to grow in them are told once, whole', { skip }, async () => {
  assertWhole(await run(join(folder, 'stripped'), 'growing'), 1);
});

test('what is read into a stack that moved while its goroutine waited arrives', { skip }, async () => {
  assertWhole(await run(join(folder, 'stripped'), 'shrinking'), 10);
});

test('a write that has to wait is not told as of a time that is long over', { skip }, async () => {
  const seen = await run(join(folder, 'stripped'), 'blocked');
  assertWhole(seen, 1);
  const [write] = seen.of('tls_data').filter(({ direction }) => direction === 'write');
  assert.ok(write);
  assert.ok(write.ktime_ns - write.call_start_ns > BigInt(WAIT_MS - 100) * 1_000_000n);
});

test('the answer to the request that reveals a Go program is told, though the wait for it began before', {
  skip,
}, async () => {
  const args = [String(port), certificate.authority_path, 'asking'];
  const child = spawn(join(folder, 'stripped'), args, { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  const seen = seenOf(child.pid ?? 0, watch?.take() ?? []);
  assert.equal(seen.of('agent_seen').length, 1);
  const data = [...seen.of('tls_data')].sort((one, other) => Number(one.ktime_ns - other.ktime_ns));
  assert.deepEqual(
    data.map(({ direction, data }) => [direction, Buffer.from(data).toString()]),
    ['write', 'read'].map((direction) => [direction, 'POST /v1/messages HTTP/1.1\r\n\r\n']),
  );
  const [first, ...others] = data.map(({ socket_id }) => socket_id);
  assert.notEqual(first, 0n);
  assert.deepEqual(others, [first]);
});
