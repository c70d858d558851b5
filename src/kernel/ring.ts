/**
 * Reads a BPF ring buffer in place (layout: kernel/bpf/ringbuf.c): a page with the consumer's position, a page with the
 * producer's, and the data, mapped twice so that no record is ever cut by the end.
 */
import koffi from 'koffi';
import { errnoName } from '../model/errno-name.ts';
import type { Pointer } from './libbpf.ts';
import { lastErrno, libc } from './libc.ts';

const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const HEADER_BYTES = 8;
const DISCARDED = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;
/** After so long the event loop gets its turn. */
const BUDGET_MS = 4;
/** After a batch, records gather for so long before the next: one wake-up for many. */
const GATHER_MS = 1;
const RECORDS_PER_CLOCK_LOOK = 64;

export interface Ring {
  /** Gives out everything that is there now. */
  drain(): void;
  /** Stops reading; what was not drained is lost. */
  close(): void;
}

/**
 * Calls `onRecord` with each record, a view that must not be used after the call. An error that it throws is thrown again
 * outside the native callback, as an uncaught exception.
 */
export function createRing(fd: number, size: number, onRecord: (record: Buffer) => void): Ring {
  const page_bytes: number = libc.getpagesize();
  const consumerMemory = map(fd, page_bytes, PROT_READ_WRITE, 0);
  const producerMemory = map(fd, page_bytes + 2 * size, PROT_READ, page_bytes);
  const consumer = new BigUint64Array(koffi.view(consumerMemory, page_bytes), 0, 1);
  const memory = koffi.view(producerMemory, page_bytes + 2 * size);
  // The low words are enough: the ring is far smaller than they count.
  const producer = new Int32Array(memory, 0, 1);
  const words = new Int32Array(memory, page_bytes);
  let consumed = consumer[0] as bigint;
  let isClosed = false;

  /** `done`: nothing is left. `busy`: the next record is still being written. `late`: the time is up. */
  const read = (deadline_ms: number): { count: number; end: 'done' | 'busy' | 'late' } => {
    let low = Number(BigInt.asIntN(32, consumed));
    let step = 0;
    let count = 0;
    let end: 'done' | 'busy' | 'late' = 'done';
    const last = Atomics.load(producer, 0);
    try {
      while (((last - low) | 0) > 0) {
        const at = low & (size - 1);
        const header = Atomics.load(words, at >>> 2);
        if (header < 0) {
          end = 'busy';
          break;
        }
        const length = header & LENGTH_MASK;
        const bytes = (length + HEADER_BYTES + 7) & ~7;
        low = (low + bytes) | 0;
        step += bytes;
        if ((header & DISCARDED) === 0) onRecord(Buffer.from(memory, page_bytes + at + HEADER_BYTES, length));
        if (++count % RECORDS_PER_CLOCK_LOOK === 0) {
          publish(step);
          step = 0;
          if (performance.now() > deadline_ms) {
            end = 'late';
            break;
          }
        }
      }
    } finally {
      publish(step);
    }
    return { count, end };
  };
  const publish = (bytes: number): void => {
    consumed += BigInt(bytes);
    Atomics.store(consumer, 0, consumed);
  };

  const turn = (): void => {
    if (isClosed) return;
    try {
      const { count, end } = read(performance.now() + BUDGET_MS);
      if (end === 'late') setImmediate(turn);
      else if (end === 'busy' || count > 0) setTimeout(turn, GATHER_MS);
      else poll.start(onReadable);
    } catch (error) {
      setTimeout(turn, GATHER_MS);
      process.nextTick(() => {
        throw error;
      });
    }
  };
  const onReadable = (): void => {
    poll.stop();
    turn();
  };
  // Held by the closures above: a handle that is collected stops silently.
  const poll = koffi.node.poll(fd, onReadable);

  return {
    drain() {
      if (isClosed) return;
      read(Number.POSITIVE_INFINITY);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      poll.close();
      libc.munmap(consumerMemory, page_bytes);
      libc.munmap(producerMemory, page_bytes + 2 * size);
    },
  };
}

function map(fd: number, length: number, protection: number, offset: number): Pointer {
  const memory: Pointer = libc.mmap(null, length, protection, MAP_SHARED, fd, offset);
  if (memory === null || koffi.address(memory) === MAP_FAILED) {
    throw new Error(`cannot map the ring buffer: ${errnoName(lastErrno())}`);
  }
  return memory;
}
