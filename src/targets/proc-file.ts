import fs from 'node:fs';

const CHUNK_BYTES = 65536;

/** The first `maxBytes` of a file in /proc, whose size no `stat` tells; undefined when it, or its process, is gone. */
export function readProcFile(file: string, maxBytes = 1024 * 1024): Buffer | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < maxBytes; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const count = fs.readSync(fd, chunk, 0, Math.min(CHUNK_BYTES, maxBytes - total), null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

/** Where a link of /proc leads, without the mark of a file that was deleted; '' when it cannot be read. */
export function readProcLink(link: string): string {
  try {
    return fs.readlinkSync(link).replace(/ \(deleted\)$/, '');
  } catch {
    return '';
  }
}

/** Text that ends each of its items with a NUL. */
export function splitNul(bytes: Buffer): readonly string[] {
  return bytes.length === 0 ? [] : bytes.toString('utf8').replace(/\0$/, '').split('\0');
}
