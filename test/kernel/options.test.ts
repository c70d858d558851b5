import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createCounters } from '../../src/health/counters.ts';
import { now } from '../../src/kernel/clock.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import { loadProbes } from '../../src/kernel/loader.ts';
import { createLossReader } from '../../src/kernel/losses.ts';
import { createRing } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import type { Event } from '../../src/model/event.ts';
import { SetupError } from '../../src/model/setup-error.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { SUBMIT_TO_IO_URING } from './io-uring.ts';
import { readOverTls } from './read-over-tls.ts';
import { PYTHON } from './watch.ts';

const object_path = path.join(import.meta.dirname, '../../bpf/undersight.bpf.o');
const options = { object_path, ring_bytes: 1 << 20, watch_all_execs: false, discover_by_traffic: false };
const NOBODY = 65534;

test('when the ring is full, exactly what is missing is told as lost', async () => {
  const probes = loadProbes({ ...options, ring_bytes: 1 << 16 });
  const events: Event[] = [];
  const counters = createCounters();
  const decode = createDecode({ counters }, { push: (event) => events.push(event) });
  const readLosses = createLossReader(probes.readLosses, { process: '1:1', pid: 1, tid: 1 });
  try {
    const script = 'i=0; while [ $i -lt 2000 ]; do : < /etc/passwd; i=$((i+1)); done';
    const child = await launchHeld('/bin/sh', ['-c', script]);
    probes.watch(child.pid, 0n);
    child.release();
    await child.exited;
    // Nobody reads before all is over.
    const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
    ring.drain();
    ring.close();
    for (const loss of readLosses(now())) decode.pushFact(loss);
    decode.close?.();
  } finally {
    await probes.close();
  }
  const told = events.filter((event) => event.kind === 'loss').reduce((sum, { count }) => sum + count, 0);
  assert.ok(told > 1000);
  assert.equal(counters.get('kernel.ring_full'), told);
  assert.equal(counters.get('kernel.lost_records'), told);
});

test('a blind spot that found no room in the ring is told when it is met again', async () => {
  const probes = loadProbes({ ...options, ring_bytes: 1 << 16 });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-blind-'));
  const events: Event[] = [];
  const decode = createDecode({ counters: createCounters() }, { push: (event) => events.push(event) });
  let ring: ReturnType<typeof createRing> | undefined;
  try {
    const program = `
${SUBMIT_TO_IO_URING}
import os
for _ in range(2000): os.close(os.open('/etc/passwd', os.O_RDONLY))
for _ in range(9): os.fork() or os._exit(0); os.wait() # an exit is as short a record
submit(18)
os.mkfifo('${folder}/full'); open('${folder}/full').read()
submit(18)`;
    const child = await launchHeld(PYTHON, ['-c', program]);
    probes.watch(child.pid, 0n);
    child.release();
    while (!fs.existsSync(`${folder}/full`)) await setTimeout(5);
    // Nobody reads before the ring is full.
    ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
    ring.drain();
    assert.ok(!events.some((event) => event.kind === 'blind_spot'));
    fs.writeFileSync(`${folder}/full`, '');
    await child.exited;
    ring.drain();
  } finally {
    ring?.close();
    await probes.close();
    fs.rmSync(folder, { recursive: true });
  }
  assert.equal(events.filter((event) => event.kind === 'blind_spot').length, 1);
});

test('on request the execs of processes that nobody watches are told, marked so', async () => {
  const probes = loadProbes({ ...options, watch_all_execs: true });
  const events: Event[] = [];
  const counters = createCounters();
  const decode = createDecode({ counters }, { push: (event) => events.push(event) });
  const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
  try {
    const child = await launchHeld('/bin/true', ['unwatched']);
    child.release();
    await child.exited;
    ring.drain();
    const exec = events.find((event) => event.kind === 'process_exec' && event.args.includes('unwatched'));
    assert.equal(exec?.kind === 'process_exec' && exec.watched, false);
    assert.ok(events.every((event) => event.kind === 'process_exec' || event.kind === 'loss'));
  } finally {
    ring.close();
    await probes.close();
  }
});

test('not a byte is told of what an excluded user runs and says to a model', async () => {
  const told = async (excluded_uids: readonly number[]) => {
    const probes = loadProbes({ ...options, watch_all_execs: true, discover_by_traffic: true, excluded_uids });
    const records: Buffer[] = [];
    const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => records.push(Buffer.from(record)));
    const library = locateTls(process.execPath);
    assert.ok(library);
    probes.attachTls(library);
    try {
      await readOverTls(
        'POST /v1/messages HTTP/1.1\r\n\r\na private question',
        'a private answer',
        async (command, args) => {
          await once(spawn(command, args, { uid: NOBODY, stdio: 'inherit' }), 'exit');
        },
      );
      ring.drain();
    } finally {
      ring.close();
      await probes.close();
    }
    const bytes = Buffer.concat(records).toString('latin1');
    return ['/v1/messages', 'a private question', 'a private answer'].filter((text) => bytes.includes(text));
  };
  assert.deepEqual(await told([NOBODY - 1]), ['/v1/messages', 'a private question', 'a private answer']);
  assert.deepEqual(await told([NOBODY]), []);
});

for (const [what, how] of [
  ['attach probes one by one', { uprobe_multi: false }],
  ['have no probe for both ends of a call', { uprobe_session: false }],
] as const)
  test(`on kernels that ${what}, the same plaintext is seen`, async () => {
    const probes = loadProbes({ ...options, ...how });
    const events: Event[] = [];
    const decode = createDecode({ counters: createCounters() }, { push: (event) => events.push(event) });
    const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
    try {
      const library = locateTls(process.execPath);
      assert.ok(library);
      assert.equal(probes.attachTls(library), 'attached');
      await readOverTls('hello', 'world', async (command, args) => {
        const child = await launchHeld(command, args);
        probes.watch(child.pid, 0n);
        child.release();
        await child.exited;
      });
      ring.drain();
    } finally {
      ring.close();
      await probes.close();
    }
    const texts = events.flatMap((event) => (event.kind === 'tls_data' ? [Buffer.from(event.data).toString()] : []));
    assert.deepEqual(texts, ['hello', 'world']);
  });

test('programs whose records look different are refused, even if only the type of a field differs', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-layout-'));
  const other = path.join(folder, 'other.bpf.o');
  const object = fs.readFileSync(object_path);
  const isRefused = (changed: Buffer) => {
    fs.writeFileSync(other, changed);
    assert.throws(
      () => loadProbes({ ...options, object_path: other }),
      (error) => error instanceof SetupError && /another version/.test(error.message),
    );
  };
  try {
    isRefused(Buffer.from(object.toString('latin1').replaceAll('\0lost_bytes\0', '\0lost_bytez\0'), 'latin1'));
    isRefused(withSignedInts(object));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

/** `unsigned int` becomes signed in the BTF: name, kind and size of the type stay, and so does all that uses it. */
function withSignedInts(object: Buffer): Buffer {
  const changed = Buffer.from(object);
  const section = changed.indexOf(Buffer.from([0x9f, 0xeb, 1, 0]));
  const stringsAt = section + changed.readUInt32LE(section + 4) + changed.readUInt32LE(section + 16);
  const type = Buffer.alloc(16);
  type.writeUInt32LE(changed.indexOf('\0unsigned int\0', stringsAt) + 1 - stringsAt, 0);
  type.writeUInt32LE(1 << 24, 4);
  type.writeUInt32LE(4, 8);
  type.writeUInt32LE(32, 12);
  const at = changed.indexOf(type, section);
  assert.ok(at > section && at < stringsAt);
  changed.writeUInt32LE(32 | (1 << 24), at + 12);
  return changed;
}
