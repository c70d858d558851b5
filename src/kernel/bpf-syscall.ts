import koffi from 'koffi';
import { lastErrno, libc } from './libc.ts';

/** uapi/linux/bpf.h */
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const BPF_PROG_TYPE_KPROBE = 2;
export const BPF_TRACE_UPROBE_MULTI = 48;
export const BPF_TRACE_UPROBE_SESSION = 57;
const BPF_F_UPROBE_MULTI_RETURN = 1;
const EBADF = 9;

/** bpf(2) on x86-64. */
const SYSCALL_NUMBER = 321;

/** Attributes of bpf(2) and what they point to, in one block: it lives as long as the call that gets it. */
class Attributes {
  readonly block: Buffer;
  readonly addresses: readonly bigint[];
  readonly #bytes: number;

  constructor(bytes: number, ...parts: readonly Buffer[]) {
    this.#bytes = bytes;
    this.block = Buffer.concat([Buffer.alloc(bytes), ...parts]);
    let address = koffi.address(this.block) + BigInt(bytes);
    this.addresses = parts.map((part) => {
      address += BigInt(part.length);
      return address - BigInt(part.length);
    });
  }

  /** Returns what bpf(2) returns, or minus errno. */
  call(command: number): number {
    const result: number = libc.syscall_bpf(SYSCALL_NUMBER, command, this.block, this.#bytes);
    return result < 0 ? -lastErrno() : Number(result);
  }
}

export interface UprobeMulti {
  readonly program_fd: number;
  /** A path of ours that leads to the file. */
  readonly path: string;
  readonly offsets: readonly bigint[];
  /** What the program gets for each offset. */
  readonly cookies: readonly bigint[];
  /** `both`: of a program loaded for it, run at the entry, and at the return of those calls for which it then gave 0. */
  readonly at: 'entry' | 'return' | 'both';
}

/** Attaches one program to several places of one file, for all processes. Returns the link's descriptor, or minus errno. */
export function createUprobeMulti({ program_fd, path, offsets, cookies, at }: UprobeMulti): number {
  const attributes = new Attributes(64, words(offsets), words(cookies), Buffer.from(`${path}\0`));
  const [places = 0n, values = 0n, name = 0n] = attributes.addresses;
  const { block } = attributes;
  block.writeUInt32LE(program_fd, 0);
  block.writeUInt32LE(at === 'both' ? BPF_TRACE_UPROBE_SESSION : BPF_TRACE_UPROBE_MULTI, 8);
  block.writeBigUInt64LE(name, 16);
  block.writeBigUInt64LE(places, 24);
  block.writeBigUInt64LE(values, 40);
  block.writeUInt32LE(offsets.length, 48);
  block.writeUInt32LE(at === 'return' ? BPF_F_UPROBE_MULTI_RETURN : 0, 52);
  return attributes.call(BPF_LINK_CREATE);
}

function words(values: readonly bigint[]): Buffer {
  return Buffer.from(BigUint64Array.from(values).buffer);
}

const supported = new Map<number, boolean>();

/** Whether the kernel knows uprobe_multi links (Linux 6.6, 89ae89f53d20). */
export function supportsUprobeMulti(): boolean {
  return isSupported(BPF_TRACE_UPROBE_MULTI, 'entry');
}

/** Whether one link may run a program at both ends of a function (Linux 6.13, d920179b3d48). */
export function supportsUprobeSession(): boolean {
  return supportsUprobeMulti() && isSupported(BPF_TRACE_UPROBE_SESSION, 'both');
}

function isSupported(type: number, at: UprobeMulti['at']): boolean {
  const known = supported.get(type);
  if (known !== undefined) return known;
  const answer = probeLink(type, at);
  supported.set(type, answer);
  return answer;
}

/** A kernel that knows the type of link refuses a directory with EBADF. */
function probeLink(type: number, at: UprobeMulti['at']): boolean {
  // r0 = 0; exit
  const instructions = Buffer.from('b7000000000000009500000000000000', 'hex');
  const license = Buffer.from('GPL\0');
  const attributes = new Attributes(72, instructions, license);
  const [program = 0n, text = 0n] = attributes.addresses;
  attributes.block.writeUInt32LE(BPF_PROG_TYPE_KPROBE, 0);
  attributes.block.writeUInt32LE(instructions.length / 8, 4);
  attributes.block.writeBigUInt64LE(program, 8);
  attributes.block.writeBigUInt64LE(text, 16);
  attributes.block.writeUInt32LE(type, 68);
  const program_fd = attributes.call(BPF_PROG_LOAD);
  if (program_fd < 0) return false;
  try {
    return createUprobeMulti({ program_fd, path: '/', offsets: [0n], cookies: [0n], at }) === -EBADF;
  } finally {
    libc.close(program_fd);
  }
}
