import fs from 'node:fs';
import { errnoName } from '../model/errno-name.ts';
import type { ProcessSnapshot } from '../model/process-snapshot.ts';
import * as raw from './events.gen.ts';
import { libbpf, type Pointer } from './libbpf.ts';
import { lastErrno } from './libc.ts';
import { processKey } from './record.ts';

const CHUNK_BYTES = 65536;

/** Every process there is, by running the task iterator once. Throws when it cannot run. */
export function readProcesses(iterator: Pointer): readonly ProcessSnapshot[] {
  const link: Pointer = libbpf().program_attach_iter(iterator, null);
  if (link === null) throw new Error(`the process iterator cannot be attached: ${errnoName(lastErrno())}`);
  try {
    const fd: number = libbpf().iter_create(libbpf().link_fd(link));
    if (fd < 0) throw new Error(`the process iterator cannot run: ${errnoName(-fd)}`);
    try {
      return parse(readAll(fd));
    } finally {
      fs.closeSync(fd);
    }
  } finally {
    libbpf().link_destroy(link);
  }
}

function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const count = fs.readSync(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

function parse(bytes: Buffer): readonly ProcessSnapshot[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const processes: ProcessSnapshot[] = [];
  for (let at = 0; at + raw.process_snapshot.size <= bytes.length; at += raw.process_snapshot.size) {
    const { start_ns, parent_start_ns, ...rest } = raw.process_snapshot.read(view, at);
    processes.push({
      ...rest,
      process: processKey(rest.pid, start_ns),
      parent: rest.parent_pid === 0 ? undefined : processKey(rest.parent_pid, parent_start_ns),
    });
  }
  return processes;
}
