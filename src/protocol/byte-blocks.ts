/** Bytes that come in pieces, and are kept in as many blocks as their number asks for, however small the pieces are. */
export interface ByteBlocks {
  readonly bytes: number;
  /** Copies them. */
  add(data: Uint8Array): void;
  /** All of them in one; what comes later does not change it. */
  joined(): Buffer;
  clear(): void;
}

const LEAST_BLOCK_BYTES = 256;
const LARGEST_BLOCK_BYTES = 2 ** 18;

/** Blocks that grow as what they hold does: at most half of them is empty, or so much as one of the largest. */
export function createByteBlocks(): ByteBlocks {
  let full: Buffer[] = [];
  let full_bytes = 0;
  let last = Buffer.alloc(0);
  let last_bytes = 0;

  const beginBlock = (least_bytes: number): void => {
    if (last_bytes > 0) full.push(last.subarray(0, last_bytes));
    full_bytes += last_bytes;
    const grown_bytes = Math.min(LARGEST_BLOCK_BYTES, Math.max(LEAST_BLOCK_BYTES, full_bytes));
    last = Buffer.allocUnsafeSlow(Math.max(least_bytes, grown_bytes));
    last_bytes = 0;
  };

  return {
    get bytes() {
      return full_bytes + last_bytes;
    },
    add(data) {
      const fitting = Math.min(data.length, last.length - last_bytes);
      last.set(data.subarray(0, fitting), last_bytes);
      last_bytes += fitting;
      if (fitting === data.length) return;
      beginBlock(data.length - fitting);
      last.set(data.subarray(fitting), 0);
      last_bytes = data.length - fitting;
    },
    joined() {
      if (full.length === 0) return last.subarray(0, last_bytes);
      if (full.length === 1 && last_bytes === 0) return full[0] as Buffer;
      full = [Buffer.concat([...full, last.subarray(0, last_bytes)], full_bytes + last_bytes)];
      full_bytes += last_bytes;
      last = Buffer.alloc(0);
      last_bytes = 0;
      return full[0] as Buffer;
    },
    clear() {
      full = [];
      full_bytes = 0;
      last = Buffer.alloc(0);
      last_bytes = 0;
    },
  };
}
