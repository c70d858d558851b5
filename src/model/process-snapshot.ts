import type { ProcessKey } from './event.ts';

/** A process that was running when it was asked for, as the kernel describes it. */
export interface ProcessSnapshot {
  readonly process: ProcessKey;
  readonly pid: number;
  readonly parent: ProcessKey | undefined;
  readonly parent_pid: number;
  /** In its innermost pid namespace. */
  readonly namespace_pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly cgroup_id: bigint;
  readonly comm: string;
}
