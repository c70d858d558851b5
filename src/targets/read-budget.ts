/** What may be read of one file in all: four times what is read of the largest programs. A sparse file can pretend to any size. */
const MAX_READ_BYTES = 2 * 1024 * 1024 * 1024;
/** The largest programs take a sixth of it. */
const MAX_SPENT_MS = 2000;
/** A slow disk, or others on the processor, may take so many times longer. */
const WAITING_SHARE = 5;
/** What each read costs at least, whatever it brings. */
const LEAST_BYTES = 4096;
const LOOKS_AT_CLOCK_EVERY_BYTES = 64 * LEAST_BYTES;

export const TOOK_TOO_LONG = 'took too long';

/** One file was looked into for as long as any is. */
export class TookTooLong extends Error {
  constructor() {
    super(TOOK_TOO_LONG);
  }
}

/** What it may cost to look into one file, all in all: its content is made up by anybody, and who looks watches others meanwhile. */
export interface ReadBudget {
  /** To be told before a read. Throws TookTooLong. */
  charge(bytes: number): void;
  /** To be told now and then by what computes. Throws TookTooLong. */
  checkTime(): void;
}

/** `spent_ms`: a clock; by default of the time that this thread computes, and a fifth of the time that passes. */
export function createReadBudget(spent_ms: () => number = threadTime): ReadBudget {
  const end_ms = spent_ms() + MAX_SPENT_MS;
  let left_bytes = MAX_READ_BYTES;
  let unseen_bytes = 0;
  const checkTime = () => {
    if (spent_ms() > end_ms) throw new TookTooLong();
  };
  return {
    charge(bytes) {
      const cost_bytes = Math.max(bytes, LEAST_BYTES);
      left_bytes -= cost_bytes;
      unseen_bytes += cost_bytes;
      if (left_bytes < 0) throw new TookTooLong();
      if (unseen_bytes < LOOKS_AT_CLOCK_EVERY_BYTES) return;
      unseen_bytes = 0;
      checkTime();
    },
    checkTime,
  };
}

function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return Math.max((user + system) / 1000, performance.now() / WAITING_SHARE);
}
