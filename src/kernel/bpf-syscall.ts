import koffi from 'koffi';
import { lastErrno, libc } from './libc.ts';

/** uapi/linux/bpf.h */
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const BPF_PROG_TYPE_KPROBE = 2;
export const BPF_TRACE_UPROBE_MULTI = 48;
const BPF_F_UPROBE_MULTI_RETURN = 1;
const EBADF = 9;

const SYSCALL_NUMBER = process.arch === 'arm64' ? 280 : 321;

/** Returns what bpf(2) returns, or minus errno. `memory` is what the attributes point to: alive until the call is over. */
function bpf(command: number, attributes: Buffer, memory: readonly (Uint8Array | BigUint64Array)[]): number {
  const result: number = libc.syscall_bpf(SYSCALL_NUMBER, command, attributes, attributes.length);
  const errno = lastErrno();
  return result < 0 && memory.length >= 0 ? -errno : Number(result);
}

export interface UprobeMulti {
  readonly program_fd: number;
  /** A path of ours that leads to the file. */
  readonly path: string;
  readonly offsets: readonly bigint[];
  /** What the program gets for each offset. */
  readonly cookies: readonly bigint[];
  readonly at: 'entry' | 'return';
}

/** Attaches one program to several places of one file, for all processes. Returns the link's descriptor, or minus errno. */
export function createUprobeMulti({ program_fd, path, offsets, cookies, at }: UprobeMulti): number {
  const name = Buffer.from(`${path}\0`);
  const places = BigUint64Array.from(offsets);
  const values = BigUint64Array.from(cookies);
  const attributes = Buffer.alloc(64);
  attributes.writeUInt32LE(program_fd, 0);
  attributes.writeUInt32LE(BPF_TRACE_UPROBE_MULTI, 8);
  attributes.writeBigUInt64LE(koffi.address(name), 16);
  attributes.writeBigUInt64LE(koffi.address(places), 24);
  attributes.writeBigUInt64LE(koffi.address(values), 40);
  attributes.writeUInt32LE(places.length, 48);
  attributes.writeUInt32LE(at === 'return' ? BPF_F_UPROBE_MULTI_RETURN : 0, 52);
  return bpf(BPF_LINK_CREATE, attributes, [name, places, values]);
}

let isMultiSupported: boolean | undefined;

/** Whether the kernel knows uprobe_multi links (Linux 6.6, 89ae89f53d20): it then refuses a directory with EBADF. */
export function supportsUprobeMulti(): boolean {
  isMultiSupported ??= probeUprobeMulti();
  return isMultiSupported;
}

function probeUprobeMulti(): boolean {
  // r0 = 0; exit
  const instructions = Buffer.from('b7000000000000009500000000000000', 'hex');
  const license = Buffer.from('GPL\0');
  const attributes = Buffer.alloc(72);
  attributes.writeUInt32LE(BPF_PROG_TYPE_KPROBE, 0);
  attributes.writeUInt32LE(instructions.length / 8, 4);
  attributes.writeBigUInt64LE(koffi.address(instructions), 8);
  attributes.writeBigUInt64LE(koffi.address(license), 16);
  attributes.writeUInt32LE(BPF_TRACE_UPROBE_MULTI, 68);
  const program_fd = bpf(BPF_PROG_LOAD, attributes, [instructions, license]);
  if (program_fd < 0) return false;
  try {
    const result = createUprobeMulti({ program_fd, path: '/', offsets: [0n], cookies: [0n], at: 'entry' });
    return result === -EBADF;
  } finally {
    libc.close(program_fd);
  }
}
