import { createByteBlocks } from './byte-blocks.ts';

export interface MessageBufferOptions {
  /** Of what comes before a message and tells how long it is. So many are held without asking. */
  readonly head_bytes: number;
  /** Asked before more bytes of an incomplete message are kept, and told of those given back (negative). */
  hold(bytes: number): boolean;
  /** Reads what is whole of it. */
  read(bytes: Buffer): MessageProgress;
  /** There is no room for a message: it is passed over. */
  noRoom(): void;
}

export interface MessageProgress {
  /** What was read; more than there is: so much is passed over. */
  readonly read_bytes: number;
  /** With how many bytes there is more to read. */
  readonly needed_bytes: number;
}

/** Bytes of messages that tell first how long they are, cut anywhere. */
export interface MessageBuffer {
  push(bytes: Uint8Array): void;
  /** Drops what is held, and gives its room back. */
  clear(): void;
  /** The same, and takes no more; also while it is read. */
  end(): void;
  readonly held_bytes: number;
}

export function createMessageBuffer({ head_bytes, hold, read, noRoom }: MessageBufferOptions): MessageBuffer {
  const blocks = createByteBlocks();
  let charged_bytes = 0;
  let needed_bytes = head_bytes;
  let skipped_bytes = 0;
  let is_ended = false;

  const empty = (): void => {
    blocks.clear();
    if (charged_bytes > 0) hold(-charged_bytes);
    charged_bytes = 0;
  };
  const keep = (bytes: Uint8Array): void => {
    const uncharged = Math.max(0, blocks.bytes + bytes.length - head_bytes) - charged_bytes;
    if (uncharged > 0 && !hold(uncharged)) {
      skipped_bytes = needed_bytes - blocks.bytes - bytes.length;
      empty();
      needed_bytes = head_bytes;
      noRoom();
      return;
    }
    charged_bytes += Math.max(0, uncharged);
    blocks.add(bytes);
  };

  return {
    get held_bytes() {
      return blocks.bytes;
    },
    push(bytes) {
      if (is_ended) return;
      const skipped = Math.min(skipped_bytes, bytes.length);
      skipped_bytes -= skipped;
      const fresh = bytes.subarray(skipped);
      if (blocks.bytes + fresh.length < needed_bytes) {
        if (fresh.length > 0) keep(fresh);
        return;
      }
      const is_alone = blocks.bytes === 0;
      if (!is_alone) blocks.add(fresh);
      const all = is_alone ? Buffer.from(fresh.buffer, fresh.byteOffset, fresh.length) : blocks.joined();
      empty();
      const progress = read(all);
      needed_bytes = progress.needed_bytes;
      skipped_bytes = Math.max(0, progress.read_bytes - all.length);
      if (progress.read_bytes < all.length && !is_ended) keep(all.subarray(progress.read_bytes));
    },
    clear() {
      empty();
      needed_bytes = head_bytes;
      skipped_bytes = 0;
    },
    end() {
      is_ended = true;
      empty();
    },
  };
}
