import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createCounters } from '../../src/health/counters.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import { loadProbes, type ProbeOptions, type Probes } from '../../src/kernel/loader.ts';
import { createRing } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import type { Event } from '../../src/model/event.ts';

/** The interpreter itself: `python3` may be a shell script that looks for it. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** The kernel programs, and what they tell. */
export interface Watch {
  readonly probes: Probes;
  /** Runs a command to its end, and gives all that was seen since the last time, of this command alone. */
  run(command: string, ...args: string[]): Promise<Seen>;
  /** What was told since the last time. */
  take(): Event[];
  /** Fails when anything was lost or malformed. */
  close(): Promise<void>;
}

/** Events by kind. */
export interface Seen {
  readonly pid: number;
  readonly all: readonly Event[];
  of<K extends Event['kind']>(kind: K): readonly (Event & { kind: K })[];
}

export function openWatch(options: Partial<ProbeOptions> = {}): Watch {
  const counters = createCounters();
  const events: Event[] = [];
  const probes = loadProbes({
    object_path: join(import.meta.dirname, '../../bpf/undersight.bpf.o'),
    ring_bytes: 1 << 26,
    watch_all_execs: false,
    discover_by_traffic: false,
    ...options,
  });
  const decode = createDecode({ counters }, { push: (event) => events.push(event) });
  const ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
  const take = () => {
    ring.drain();
    return events.splice(0);
  };
  return {
    probes,
    take,
    async run(command, ...args) {
      const child = await launchHeld(command, args);
      probes.watch(child.pid, 0n);
      child.release();
      await child.exited;
      return seenOf(child.pid, take());
    },
    async close() {
      ring.drain();
      ring.close();
      const lost = probes.readLosses().filter((count) => count > 0);
      await probes.close();
      decode.close?.();
      assert.deepEqual({ lost, counted: counters.entries() }, { lost: [], counted: [] });
    },
  };
}

/** What a process and its descendants did: agents that others run meanwhile on this machine may be in `events` too. */
export function seenOf(pid: number, events: readonly Event[]): Seen {
  const tree = new Set([pid]);
  for (const event of events) if (event.kind === 'process_fork' && tree.has(event.parent_pid)) tree.add(event.pid);
  const all = events.filter((event) => tree.has(event.pid));
  return {
    pid,
    all,
    of: <K extends Event['kind']>(kind: K) => all.filter((event): event is Event & { kind: K } => event.kind === kind),
  };
}
