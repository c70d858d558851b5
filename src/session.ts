import fs from 'node:fs';
import os from 'node:os';
import { now, unixOffset } from './kernel/clock.ts';
import type { ProcessKey, SessionEvent } from './model/event.ts';

/** What ties this run's kernel time to the world; `process` is our own. */
export function describeSession(process_key: ProcessKey, undersight_version: string): SessionEvent {
  return {
    kind: 'session',
    ktime_ns: now(),
    process: process_key,
    pid: process.pid,
    tid: process.pid,
    unix_offset_ns: unixOffset(),
    boot_id: readLine('/proc/sys/kernel/random/boot_id'),
    host_name: os.hostname(),
    host_id: readLine('/etc/machine-id'),
    host_arch: os.arch(),
    os_release: os.release(),
    undersight_version,
  };
}

function readLine(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
