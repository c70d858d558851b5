import type { ActivityBase, ProcessActivity } from '../model/activity.ts';
import { lineagePlace, type Place } from './placement.ts';
import type { Process } from './process-tree.ts';
import type { Turn } from './turn.ts';

/** What a process does in one turn: one process activity. */
export interface ProcessSegment {
  readonly id: string;
  turn: Turn;
  readonly start_ns: bigint;
  readonly continues: string | undefined;
  /** undefined until the process executes something, exits, or the turn ends. */
  place: Place | undefined;
  /** That of the process that started it, where that is no agent's. */
  readonly below: ProcessSegment | undefined;
  /** Where it goes when no tool call explains it. */
  readonly fallback: Place;
  /** Something that was told already has it as its parent. */
  has_children: boolean;
  noise_file_count: number;
  left_out_count: number;
  readonly lost_before: number;
}

/** Where a process hangs, as far as is known by now. */
export function placeOf({ place, below, fallback }: ProcessSegment): Place {
  return place ?? (below === undefined ? fallback : inheritedPlace(below));
}

/** Under a process, for what that process does or starts: what explains the one explains the other. */
export function inheritedPlace(segment: ProcessSegment): Place {
  let top = segment;
  while (top.place === undefined && top.below !== undefined) top = top.below;
  const { window, correlation } = top.place ?? top.fallback;
  const place = lineagePlace(segment.id, window);
  return { ...place, correlation: { ...place.correlation, requested: correlation.requested } };
}

/** What is particular to the activity of a process. */
export function describeProcess(process: Process, segment: ProcessSegment): Omit<ProcessActivity, keyof ActivityBase> {
  // Another program in its place is no exit.
  const exit = process.successor === undefined ? process.exit : undefined;
  const killed = exit !== undefined && exit.signal !== 0;
  return {
    kind: 'process',
    process: process.key,
    pid: process.pid,
    parent_pid: process.parent_pid,
    namespace_pid: process.namespace_pid,
    executable_path: process.executable_path,
    args: process.args,
    working_directory: process.working_directory,
    uid: process.uid,
    user_name: process.facts?.user_name,
    cgroup_id: process.cgroup_id,
    exit_code: killed ? undefined : exit?.exit_code,
    signal: killed ? exit.signal : undefined,
    correlation: placeOf(segment).correlation,
    noise_file_count: segment.noise_file_count,
    left_out_count: segment.left_out_count,
    blind_spots: [...process.blind_spots].sort(),
  };
}
