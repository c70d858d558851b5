import type { Counters } from '../health/counters.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { Event, PipeEndEvent, PlainDataEvent, ProcessKey } from '../model/event.ts';
import { heldEventBytes } from '../model/held-event.ts';
import type { Stage } from '../stage.ts';

export interface PipeTellersOptions {
  /** How long what a reader tells waits for the writer's own word. */
  readonly wait_ns?: bigint;
  readonly max_pipes?: number;
  readonly max_held_bytes?: number;
  readonly counters: Counters;
}

interface Pipe {
  teller: 'writer' | 'reader' | undefined;
  /** What was read while it is not known whether who writes is watched. */
  held: PlainDataEvent[];
  held_bytes: number;
  /** The process that was told to be the reader. */
  reader: ProcessKey | undefined;
  /** Who told that it wrote. */
  writer: ProcessKey | undefined;
}

/**
 * Lets one end of each pipe tell its bytes: who writes. A reader can be back from its call before the writer is, and then
 * tells the same bytes first: they wait for the writer's word, and are passed on only when it does not come.
 */
export function createPipeTellers(options: PipeTellersOptions, next: Stage<Event>): Stage<Event> {
  const { counters, wait_ns = 500_000_000n, max_pipes = 4096, max_held_bytes = 16 << 20 } = options;
  const pipes = new BoundedMap<bigint, Pipe>(max_pipes, (_, pipe) => release(pipe));
  const waiting = new Set<Pipe>();
  let held_bytes = 0;

  const empty = (pipe: Pipe): readonly PlainDataEvent[] => {
    const { held } = pipe;
    held_bytes -= pipe.held_bytes;
    pipe.held = [];
    pipe.held_bytes = 0;
    waiting.delete(pipe);
    return held;
  };
  /** Nobody else told it. */
  const release = (pipe: Pipe): void => {
    if (pipe.held.length === 0) return;
    pipe.teller = 'reader';
    for (const event of empty(pipe)) next.push(event);
  };
  const announce = (pipe: Pipe, { kind: _, ...event }: PlainDataEvent | PipeEndEvent): void => {
    if (pipe.reader === event.process) return;
    pipe.reader = event.process;
    const { ktime_ns, process, pid, tid, stream_id } = event;
    next.push({ kind: 'pipe_end', ktime_ns, process, pid, tid, stream_id, state: 'reader' });
  };
  const leaveOut = (pipe: Pipe, event: PlainDataEvent): void => {
    counters.counted('order.pipe_bytes_left_out', event.data.length);
    announce(pipe, event);
  };
  const pipeOf = (id: bigint): Pipe => {
    const known = pipes.get(id);
    if (known !== undefined) return known;
    const pipe: Pipe = { teller: undefined, held: [], held_bytes: 0, reader: undefined, writer: undefined };
    pipes.set(id, pipe);
    return pipe;
  };

  /** Of one that is believed only now, the writer may still be in its call. */
  const closed = (id: bigint): void => {
    const pipe = pipes.get(id);
    if (pipe === undefined) return;
    if (pipe.held.length > 0) release(pipe);
    else pipes.delete(id);
  };
  /** Inode numbers are used again: bytes begin anew, at an end that another process had. */
  const isAnother = (pipe: Pipe, { direction, offset, process }: PlainDataEvent): boolean => {
    const before = direction === 'write' ? pipe.writer : pipe.reader;
    return offset === 0n && before !== undefined && before !== process;
  };
  const takeWritten = (pipe: Pipe, event: PlainDataEvent): void => {
    if (pipe.teller === 'reader') counters.counted('order.pipe_told_twice');
    pipe.teller = 'writer';
    pipe.writer = event.process;
    next.push(event);
    for (const read of empty(pipe)) leaveOut(pipe, read);
  };
  const takeRead = (pipe: Pipe, event: PlainDataEvent): void => {
    if (pipe.teller === 'writer') leaveOut(pipe, event);
    else if (pipe.teller === 'reader') next.push(event);
    else {
      pipe.held.push(event);
      const bytes = heldEventBytes(event);
      pipe.held_bytes += bytes;
      held_bytes += bytes;
      waiting.add(pipe);
      if (held_bytes > max_held_bytes) for (const each of [...waiting]) release(each);
    }
  };

  return {
    push(event) {
      if (event.kind === 'plain_data' && event.channel === 'pipe') {
        const known = pipes.get(event.stream_id);
        if (known !== undefined && isAnother(known, event)) {
          release(known);
          pipes.delete(event.stream_id);
        }
        const pipe = pipeOf(event.stream_id);
        if (event.direction === 'write') takeWritten(pipe, event);
        else takeRead(pipe, event);
      } else if (event.kind === 'pipe_end') {
        if (event.state === 'reader') announce(pipeOf(event.stream_id), event);
        else {
          closed(event.stream_id);
          next.push(event);
        }
      } else next.push(event);
    },
    tick(now_ns) {
      for (const pipe of [...waiting]) {
        if (now_ns - (pipe.held[0]?.ktime_ns ?? now_ns) >= wait_ns) release(pipe);
      }
      next.tick?.(now_ns);
    },
    close() {
      for (const pipe of [...waiting]) release(pipe);
      return next.close?.();
    },
  };
}
