import os from 'node:os';
import nodeProcess from 'node:process';
import type { ProcessKey } from '../model/event.ts';
import { locateTls, missingTls, rememberedMissing } from './locate-tls.ts';
import { readProcFile } from './proc-file.ts';
import { findProcessFiles } from './tls-files.ts';

const MAX_MAPS_BYTES = 16 * 1024 * 1024;
/** /proc counts in hundredths of a second (USER_HZ). */
const TICK_MS = 10;
/** Both clocks are read to a hundredth of a second, one after the other. */
const CLOCK_ERROR_MS = 3 * TICK_MS;
const START_TIME_FIELD = 22;

/** What is known of a process whose TLS is not read, for when it is gone by now. */
export interface UnreadProgram {
  readonly process?: ProcessKey;
  /** Of its executable, by `fileKeyOf`. */
  readonly file_key?: string | undefined;
}

/**
 * Why the TLS of a process cannot be read, in words; undefined when it can be. Programs that nobody has looked into are: that
 * may take a part of a second.
 */
export function unreadTlsReason(pid: number, { process, file_key }: UnreadProgram = {}): string | undefined {
  const maps = isSame(pid, process) ? readProcFile(`/proc/${pid}/maps`, MAX_MAPS_BYTES) : undefined;
  if (maps === undefined) {
    const missing = file_key === undefined ? undefined : rememberedMissing(file_key);
    if (missing === '') return 'its functions were found too late for this connection';
    return missing ?? 'it was gone before anybody could look into its program';
  }
  if (findProcessFiles(pid).some((file) => locateTls(file) !== undefined)) return undefined;
  if (maps.includes('/libjvm.so')) return 'Java’s own TLS is compiled while it runs: it has no function to read it at';
  return missingTls(`/proc/${pid}/exe`) ?? 'its program cannot be looked into';
}

/**
 * Whether the process of this number is the one that is meant. Its key has when it started by CLOCK_MONOTONIC, proc_pid_stat(5) by
 * the time since boot, in which the machine may have slept.
 */
function isSame(pid: number, process: ProcessKey | undefined): boolean {
  if (process === undefined) return true;
  const stat = readProcFile(`/proc/${pid}/stat`)?.toString('latin1') ?? '';
  // The name, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const started_ms = Number(fields[START_TIME_FIELD - 3]) * TICK_MS;
  const meant_ms = Number(process.split(':')[1]) / 1e6;
  const slept_ms = Math.max(0, os.uptime() * 1000 - Number(nodeProcess.hrtime.bigint()) / 1e6);
  return started_ms >= meant_ms - CLOCK_ERROR_MS && started_ms <= meant_ms + slept_ms + CLOCK_ERROR_MS;
}
