import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { now } from '../../src/kernel/clock.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import type { Intake } from '../../src/kernel/intake.ts';
import { loadProbes } from '../../src/kernel/loader.ts';
import { createRecorder } from '../../src/kernel/recorder.ts';
import { replay } from '../../src/kernel/replay.ts';
import { createRing } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import { createOrder } from '../../src/order/order.ts';

/** Decoding and ordering, and everything that comes out of them. */
function pipeline(): { readonly out: unknown[]; readonly intake: Intake } {
  const out: unknown[] = [];
  const counters = createCounters();
  const order = createOrder(
    { window_ns: 10_000_000n, counters },
    { push: (event) => out.push(event), tick: (now_ns) => out.push(now_ns) },
  );
  return { out, intake: createDecode({ counters }, order) };
}

test('a replay gives the very events and ticks of the live run', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-live-'));
  const file = path.join(directory, 'run.rec');
  const live = pipeline();
  const recorder = createRecorder({ path: file, counters: createCounters(), warn: assert.fail }, live.intake);
  const probes = loadProbes({
    object_path: path.join(import.meta.dirname, '../../bpf/undersight.bpf.o'),
    ring_bytes: 1 << 22,
    watch_all_execs: false,
    discover_by_traffic: false,
  });
  const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => recorder.pushRecord(record));
  const ticks = setInterval(() => recorder.tick(now()), 5);
  try {
    const child = await launchHeld('/bin/sh', ['-c', 'for i in 1 2 3 4 5; do ls / /proc/self > /dev/null; done']);
    probes.watch(child.pid, 0n);
    child.release();
    await child.exited;
    ring.drain();
    await recorder.close?.();
  } finally {
    clearInterval(ticks);
    ring.close();
    await probes.close();
  }
  const again = pipeline();
  await replay({ path: file, counters: createCounters(), warn: assert.fail }, again.intake);
  await again.intake.close?.();
  assert.ok(live.out.length > 50);
  assert.deepEqual(again.out, live.out);
  fs.rmSync(directory, { recursive: true });
});
