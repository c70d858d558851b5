/** What all bodies together may take. */
export interface BodyBudget {
  readonly max_body_bytes: number;
  readonly max_buffered_bytes: number;
  buffered_bytes: number;
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

/** Keeps the pieces of one body, and joins them only when asked. */
export function createBodyCollector(budget: BodyBudget): BodyCollector {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let full = false;
  const release = (): void => {
    budget.buffered_bytes -= bytes;
    pieces = [];
    bytes = 0;
  };
  return {
    get bytes() {
      return bytes;
    },
    add(data) {
      const fits =
        bytes + data.length <= budget.max_body_bytes &&
        budget.buffered_bytes + data.length <= budget.max_buffered_bytes;
      if (!fits || full) {
        full = true;
        release();
        return false;
      }
      pieces.push(data);
      bytes += data.length;
      budget.buffered_bytes += data.length;
      return true;
    },
    joined() {
      const only = pieces.length === 1 ? pieces[0] : undefined;
      const whole =
        only === undefined ? Buffer.concat(pieces, bytes) : Buffer.from(only.buffer, only.byteOffset, bytes);
      pieces = [whole];
      return whole;
    },
    release,
  };
}
