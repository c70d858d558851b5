import type { AgentSeenEvent, BlindSpotEvent, ProcessExitEvent, ProcessForkEvent } from '../model/event.ts';
import * as raw from './events.gen.ts';
import type { Arguments, PendingExec } from './exec-joiner.ts';
import { MalformedRecord, processKey, type RingRecord } from './record.ts';

export function decodeFork({ view, base }: RingRecord): ProcessForkEvent {
  const { parent_pid, parent_tid, parent_start_ns, comm } = raw.process_fork_event.read(view, 0);
  const parent = processKey(parent_pid, parent_start_ns);
  return { kind: 'process_fork', ...base, parent, parent_pid, parent_tid, comm };
}

/** An exec with the arguments that its own record carries; the rest follows in records of arguments. */
export function decodeExec(record: RingRecord): PendingExec {
  const fields = raw.process_exec_event.read(record.view, 0);
  const { parent_pid, namespace_pid, uid, gid, cgroup_id, comm } = fields;
  const executable_path = record.takeText(fields.executable_bytes);
  const working_directory = record.takeText(fields.cwd_bytes);
  return {
    event: {
      kind: 'process_exec',
      origin: 'exec',
      ...record.base,
      watched: fields.watched !== 0,
      parent: parent_pid === 0 ? undefined : processKey(parent_pid, fields.parent_start_ns),
      parent_pid,
      namespace_pid,
      uid,
      gid,
      cgroup_id,
      comm,
      executable_path,
      working_directory,
    },
    first: Buffer.from(record.take(fields.args_bytes)),
    total_bytes: fields.args_total_bytes,
  };
}

export function decodeArguments(record: RingRecord): Arguments {
  const { offset_bytes, data_bytes } = raw.process_args_event.read(record.view, 0);
  return { process: record.base.process, offset_bytes, data: Buffer.from(record.take(data_bytes)) };
}

export function decodeExit({ view, base }: RingRecord): ProcessExitEvent {
  const { exit_code, signal } = raw.process_exit_event.read(view, 0);
  return { kind: 'process_exit', ...base, exit_code, signal };
}

export function decodeAgentSeen({ view, base }: RingRecord): AgentSeenEvent {
  return { kind: 'agent_seen', ...base, comm: raw.agent_seen_event.read(view, 0).comm };
}

const BLIND_SPOTS: Readonly<Record<number, BlindSpotEvent['reason']>> = {
  [raw.blind_spot.BLIND_IO_URING]: 'io_uring',
  [raw.blind_spot.BLIND_COMPAT_SYSCALLS]: 'compat_syscalls',
};

export function decodeBlindSpot({ view, base }: RingRecord): BlindSpotEvent {
  const reason = BLIND_SPOTS[raw.blind_spot_event.read(view, 0).reason];
  if (reason === undefined) throw new MalformedRecord();
  return { kind: 'blind_spot', ...base, reason };
}
