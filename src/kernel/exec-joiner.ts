import type { Counters } from '../health/counters.ts';
import type { ProcessExecEvent, ProcessKey } from '../model/event.ts';

/** An exec whose arguments may not be complete yet. */
export interface PendingExec {
  readonly event: Omit<ProcessExecEvent, 'args' | 'args_lost_bytes'>;
  /** The beginning of the argument area. */
  readonly first: Buffer;
  /** Of the whole area. */
  readonly total_bytes: number;
}

/** A later part of a process's argument area. */
export interface Arguments {
  readonly process: ProcessKey;
  readonly offset_bytes: number;
  readonly data: Buffer;
}

interface Waiting {
  readonly exec: PendingExec;
  readonly parts: Buffer[];
  received_bytes: number;
  end_bytes: number;
}

const MAX_WAITING = 1024;
/** The kernel side sends all parts in one go; what has not come by then was lost. */
const MAX_WAIT_NS = 100_000_000n;

/** Puts an exec and the records that carry the rest of its arguments together. */
export class ExecJoiner {
  readonly #counters: Counters;
  readonly #emit: (event: ProcessExecEvent) => void;
  readonly #waiting = new Map<ProcessKey, Waiting>();

  constructor(counters: Counters, emit: (event: ProcessExecEvent) => void) {
    this.#counters = counters;
    this.#emit = emit;
  }

  pushExec(exec: PendingExec): void {
    const { process } = exec.event;
    this.flush(process);
    const received_bytes = exec.first.length;
    const waiting = { exec, parts: [exec.first], received_bytes, end_bytes: received_bytes };
    if (received_bytes >= exec.total_bytes) {
      this.#finish(waiting);
      return;
    }
    const oldest = this.#waiting.keys().next().value;
    if (this.#waiting.size >= MAX_WAITING && oldest !== undefined) this.flush(oldest);
    this.#waiting.set(process, waiting);
  }

  pushArguments({ process, offset_bytes, data }: Arguments): void {
    const waiting = this.#waiting.get(process);
    if (waiting === undefined || offset_bytes < waiting.end_bytes) {
      this.#counters.lost('kernel.arguments_without_exec');
      return;
    }
    // A hole ends an argument: two halves of different ones must not look like one.
    if (offset_bytes > waiting.end_bytes) waiting.parts.push(Buffer.alloc(1));
    waiting.parts.push(data);
    waiting.received_bytes += data.length;
    waiting.end_bytes = offset_bytes + data.length;
    if (waiting.end_bytes >= waiting.exec.total_bytes) this.flush(process);
  }

  /** Lets an exec go as it is: the process was seen doing something else. */
  flush(process: ProcessKey): void {
    const waiting = this.#waiting.get(process);
    if (waiting === undefined) return;
    this.#waiting.delete(process);
    this.#finish(waiting);
  }

  tick(now_ns: bigint): void {
    for (const [process, { exec }] of this.#waiting) {
      if (now_ns - exec.event.ktime_ns > MAX_WAIT_NS) this.flush(process);
    }
  }

  close(): void {
    for (const process of [...this.#waiting.keys()]) this.flush(process);
  }

  #finish({ exec, parts, received_bytes }: Waiting): void {
    const area = Buffer.concat(parts).toString('utf8');
    const args = area === '' ? [] : area.replace(/\0$/, '').split('\0');
    const args_lost_bytes = Math.max(0, exec.total_bytes - received_bytes);
    if (args_lost_bytes > 0) this.#counters.lost('kernel.arguments_cut');
    this.#emit({ ...exec.event, args, args_lost_bytes });
  }
}
