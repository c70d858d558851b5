import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import type { TlsLibrary } from '../../src/model/tls-library.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { buildGo, hasGo, NO_GO } from '../go-program.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, type Seen } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'undersight-overlay-'));
const lower = join(folder, 'lower');
for (const name of ['lower', 'upper', 'a', 'b']) mkdirSync(join(folder, name));
const { key, cert, authority_path } = createCertificate(folder);
const server = tls.createServer({ key, cert }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(data));
});
let port = 0;

/** Mounts the lower directory twice, where nobody else sees it; gives its namespace's root. */
const mounted = spawn(
  'unshare',
  [
    '--mount',
    'sh',
    '-ec',
    `cd ${folder}; mount -t tmpfs none upper
     for name in a b; do
       mkdir upper/$name upper/$name.work
       mount -t overlay overlay -o lowerdir=lower,upperdir=upper/$name,workdir=upper/$name.work $name
     done
     echo ready; exec sleep 1000`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
  assert.equal(String((await once(mounted.stdout, 'data'))[0]), 'ready\n');
});
after(async () => {
  mounted.kill();
  await once(mounted, 'exit');
  server.close();
  rmSync(folder, { recursive: true });
});

/** A program in the lower directory, as both mounts show it. */
function locateTwice(program: string): readonly [TlsLibrary, TlsLibrary] {
  const [one, other] = ['a', 'b'].map((mount) =>
    locateTls(join(`/proc/${mounted.pid}/root`, folder, mount, basename(program))),
  );
  assert.ok(one !== undefined && other !== undefined);
  assert.notEqual(one.device, other.device);
  assert.equal(one.inode, other.inode);
  return [one, other];
}

/** What went over the program's connections: nothing twice, nothing left out. */
function assertWhole(seen: Seen): void {
  for (const direction of ['write', 'read'] as const) {
    const ends = new Map<bigint, bigint>();
    const events = seen.of('tls_data').filter((event) => event.direction === direction);
    assert.ok(events.length > 0, direction);
    for (const { connection, offset, data } of events) {
      assert.equal(offset, ends.get(connection) ?? 0n, direction);
      ends.set(connection, offset + BigInt(data.length));
    }
  }
}

const client = `const socket = require('tls').connect(${'{port}'}, '127.0.0.1', { rejectUnauthorized: false });
let rounds = 0;
socket.on('data', () => ++rounds < 5 ? socket.write('more') : socket.destroy());
socket.write('first');`;

for (const isKnown of [true, false]) {
  const how = isKnown ? 'is probed once' : 'is told once, though it may be probed twice';
  test(`an OpenSSL program under two overlay mounts of one directory ${how}`, async () => {
    const node = join(lower, 'node');
    copyFileSync(process.execPath, node);
    const args = ['-e', client.replace('{port}', String(port))];
    await attachTwice(node, isKnown, args);
  });

  test(`a Go program under two overlay mounts of one directory ${how}`, { skip: hasGo ? false : NO_GO }, async () => {
    const source = readFileSync(join(import.meta.dirname, 'go-client.go'), 'utf8');
    const program = buildGo(lower, 'client', source);
    await attachTwice(program, isKnown, [String(port), authority_path, 'many', '4', '4']);
  });
}

async function attachTwice(program: string, isKnown: boolean, args: readonly string[]): Promise<void> {
  const watch = openWatch();
  try {
    const [one, other] = locateTwice(program);
    assert.equal(watch.probes.attachTls(one, 1), 'attached');
    const second = isKnown ? other : { ...other, build_id: 'another' };
    assert.equal(watch.probes.attachTls(second, 2), isKnown ? 'already' : 'attached');
    assertWhole(await watch.run(program, ...args));
  } finally {
    await watch.close();
  }
}
