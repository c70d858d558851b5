import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import { loadProbes } from '../../src/kernel/loader.ts';
import { LOSS_REASONS } from '../../src/kernel/losses.ts';
import { createRing } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import type { Event } from '../../src/model/event.ts';
import { openWatch, PYTHON } from './watch.ts';

test('on request the commands of unwatched processes are told too, and nothing else of them', async () => {
  const watch = openWatch({ watch_all_execs: true });
  const child = spawn('/bin/sh', ['-c', 'true > /dev/null; exec /bin/echo "of nobody"'], { stdio: 'ignore' });
  await once(child, 'exit');
  const mine = watch.take().filter((event) => event.pid === child.pid);
  assert.deepEqual(
    mine.map((event) => event.kind === 'process_exec' && [event.watched, event.args]),
    [
      [false, ['/bin/sh', '-c', 'true > /dev/null; exec /bin/echo "of nobody"']],
      [false, ['/bin/echo', 'of nobody']],
    ],
  );
  await watch.close();
});

test('what does not fit into the ring is counted, record for record', async () => {
  const counters = createCounters();
  const events: Event[] = [];
  const probes = loadProbes({
    object_path: join(import.meta.dirname, '../../bpf/undersight.bpf.o'),
    ring_bytes: 65536,
    watch_all_execs: false,
    discover_by_traffic: false,
  });
  const decode = createDecode({ counters }, { push: (event) => events.push(event) });
  const records: Buffer[] = [];
  const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => records.push(Buffer.from(record)));
  // On one CPU: a gap shows when that CPU tells something again.
  const run = async (script: string, meanwhile?: () => void) => {
    const child = await launchHeld('taskset', ['-c', '0', '/bin/sh', '-c', script]);
    probes.watch(child.pid, 0n);
    child.release();
    meanwhile?.();
    await child.exited;
    ring.drain();
  };
  // Nobody reads while it runs: this thread is kept busy.
  const wait = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  await run('i=0; while [ $i -lt 2000 ]; do : < /dev/null; i=$((i+1)); done', wait);
  await run('true');
  ring.close();
  for (const record of records) decode.pushRecord(record);
  decode.close?.();
  const [ring_full = 0, ...others] = probes.readLosses();
  await probes.close();
  assert.ok(ring_full > 0);
  assert.deepEqual(
    others.filter((count) => count > 0),
    [],
  );
  assert.deepEqual(counters.entries(), [['kernel.lost_records', ring_full]]);
  const told = events.reduce((total, event) => total + (event.kind === 'loss' ? event.count : 0), 0);
  assert.equal(told, ring_full);
});

test('a path deeper than can be told keeps its end, does not pass for absolute, and is counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'undersight-deep-'));
  const watch = openWatch();
  const program = `import os
os.chdir('${folder}')
for _ in range(1500): os.mkdir('d'); os.chdir('d')
os.close(os.open('leaf', os.O_CREAT))`;
  const seen = await watch.run(PYTHON, '-c', program);
  const leaf = seen.of('file_open').find((event) => event.path.endsWith('/leaf'));
  assert.match(leaf?.path ?? '', /^\.\.\.(\/d){500,}\/leaf$/);
  const count = watch.probes.readLosses()[LOSS_REASONS.indexOf('path_too_deep')];
  assert.ok((count ?? 0) > 0);
  await assert.rejects(watch.close());
  rmSync(folder, { recursive: true });
});

test('the watcher never watches itself, nor what it starts', async () => {
  const watch = openWatch();
  watch.probes.watch(process.pid, 0n);
  const child = spawn('/bin/true');
  await once(child, 'exit');
  assert.deepEqual(watch.take(), []);
  await watch.close();
});
