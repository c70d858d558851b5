import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { now } from '../../src/kernel/clock.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import { loadProbes } from '../../src/kernel/loader.ts';
import { createLossReader } from '../../src/kernel/losses.ts';
import { createRing } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import type { Event } from '../../src/model/event.ts';

const object_path = path.join(import.meta.dirname, '../../bpf/undersight.bpf.o');
const options = { object_path, ring_bytes: 1 << 20, watch_all_execs: false, discover_by_traffic: false };

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
