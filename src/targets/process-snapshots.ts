import type { ProcessExecEvent } from '../model/event.ts';
import type { ProcessSnapshot } from '../model/process-snapshot.ts';
import { readProcFile, readProcLink, splitNul } from './proc-file.ts';

const MAX_ARGS_BYTES = 2 * 1024 * 1024;

/**
 * A process that was running before us as the exec that it once made, with what /proc tells: undefined for kernel
 * threads, and when it is gone by now.
 */
export function snapshotProcess(
  snapshot: ProcessSnapshot,
  watched: boolean,
  now_ns: bigint,
): ProcessExecEvent | undefined {
  const { pid } = snapshot;
  const executable_path = readProcLink(`/proc/${pid}/exe`);
  if (executable_path === '') return undefined;
  return {
    kind: 'process_exec',
    origin: 'snapshot',
    ...snapshot,
    ktime_ns: now_ns,
    tid: pid,
    watched,
    executable_path,
    working_directory: readProcLink(`/proc/${pid}/cwd`),
    args: splitNul(readProcFile(`/proc/${pid}/cmdline`, MAX_ARGS_BYTES) ?? Buffer.alloc(0)),
    args_lost_bytes: 0,
  };
}

/** The process `pid` and all that descend from it, parents before children. */
export function treeOf(pid: number, snapshots: readonly ProcessSnapshot[]): readonly ProcessSnapshot[] {
  const children = Map.groupBy(snapshots, (one) => one.parent_pid);
  const tree = new Set(snapshots.filter((one) => one.pid === pid));
  // A set grows while it is walked, and holds nobody twice.
  for (const parent of tree) for (const child of children.get(parent.pid) ?? []) tree.add(child);
  return [...tree];
}
