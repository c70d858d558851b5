import { createByteBlocks } from '../protocol/byte-blocks.ts';

/** What all bodies together may take. */
export interface BodyBudget {
  readonly max_body_bytes: number;
  readonly max_buffered_bytes: number;
  buffered_bytes: number;
}

/** Takes room for so many bytes, if there is, or gives it back (negative). */
export function holdIn(budget: BodyBudget): (bytes: number) => boolean {
  return (bytes) => {
    if (bytes > 0 && budget.buffered_bytes + bytes > budget.max_buffered_bytes) return false;
    budget.buffered_bytes += bytes;
    return true;
  };
}

export interface BodyCollector {
  /** False: there is no room for it, and what was collected is gone. */
  add(data: Uint8Array): boolean;
  /** Bytes collected. */
  readonly bytes: number;
  /** All that was collected. */
  joined(): Buffer;
  /** Gives the room back. */
  release(): void;
}

/** Keeps the bytes of one body, and joins them only when asked. */
export function createBodyCollector(budget: BodyBudget): BodyCollector {
  const blocks = createByteBlocks();
  let full = false;
  const release = (): void => {
    budget.buffered_bytes -= blocks.bytes;
    blocks.clear();
  };
  return {
    get bytes() {
      return blocks.bytes;
    },
    add(data) {
      const fits =
        blocks.bytes + data.length <= budget.max_body_bytes &&
        budget.buffered_bytes + data.length <= budget.max_buffered_bytes;
      if (!fits || full) {
        full = true;
        release();
        return false;
      }
      blocks.add(data);
      budget.buffered_bytes += data.length;
      return true;
    },
    joined: blocks.joined,
    release,
  };
}
