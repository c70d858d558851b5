import fs from 'node:fs';
import os from 'node:os';
import { SetupError } from '../model/setup-error.ts';
import { libbpf } from './libbpf.ts';

/** Something that must hold before kernel programs can run. */
export interface Prerequisite {
  readonly name: string;
  /** What was found, for people to read. */
  readonly found: string;
  readonly isMet: boolean;
  /** What is wrong and what to do, where it is not met. */
  readonly problem: string;
  readonly fix: string;
}

const BTF_PATH = '/sys/kernel/btf/vmlinux';
/** bpf_loop (e6f2dd0f8067). */
const MIN_KERNEL = [5, 17] as const;
/** uapi/linux/capability.h */
const CAPABILITIES = { CAP_SYS_PTRACE: 19n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;
const CAP_SYS_ADMIN = 21n;

/** Everything that is checked, met or not, in the order in which it matters. Changes nothing. */
export function checkPrerequisites(): readonly Prerequisite[] {
  return [checkSystem(), checkKernel(), checkCapabilities(), checkBtf(), checkLibbpf()];
}

/** Throws a SetupError for the first prerequisite that is not met. */
export function requirePrerequisites(): void {
  const missing = checkPrerequisites().find((one) => !one.isMet);
  if (missing !== undefined) throw new SetupError(missing.problem, missing.fix);
}

function checkSystem(): Prerequisite {
  return {
    name: 'system',
    found: `${process.platform} ${process.arch}`,
    isMet: process.platform === 'linux' && process.arch === 'x64',
    problem: `Watching works on Linux on x86-64; this is ${process.platform} ${process.arch}`,
    fix: 'Run it on such a machine; recordings can be replayed elsewhere.',
  };
}

function checkKernel(): Prerequisite {
  const release = os.release();
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const wanted = MIN_KERNEL.join('.');
  return {
    name: 'kernel',
    found: release,
    isMet: major > MIN_KERNEL[0] || (major === MIN_KERNEL[0] && minor >= MIN_KERNEL[1]),
    problem: `The kernel is ${release}; at least ${wanted} is needed`,
    fix: `Boot a kernel of ${wanted} or later.`,
  };
}

function checkCapabilities(): Prerequisite {
  const effective = readCapabilities();
  const has = (bit: bigint) => ((effective >> bit) & 1n) === 1n;
  const missing = Object.entries(CAPABILITIES)
    .filter(([name, bit]) => !has(bit) && !(name !== 'CAP_SYS_PTRACE' && has(CAP_SYS_ADMIN)))
    .map(([name]) => name);
  return {
    name: 'capabilities',
    found: missing.length === 0 ? Object.keys(CAPABILITIES).join(', ') : `${missing.join(', ')} missing`,
    isMet: missing.length === 0,
    problem: `Watching needs root: ${missing.join(', ')} missing`,
    fix: 'Run it with sudo, or as a service with these capabilities (in a container: --privileged --pid=host).',
  };
}

function checkBtf(): Prerequisite {
  const isMet = fs.existsSync(BTF_PATH);
  return {
    name: 'btf',
    found: isMet ? BTF_PATH : 'none',
    isMet,
    problem: `The kernel does not describe its types: there is no ${BTF_PATH}`,
    fix: 'Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (the stock ones of all large distributions are).',
  };
}

function checkLibbpf(): Prerequisite {
  try {
    return { name: 'libbpf', found: libbpf().version(), isMet: true, problem: '', fix: '' };
  } catch (error) {
    const { message, fix } = error as SetupError;
    return { name: 'libbpf', found: 'none', isMet: false, problem: message, fix };
  }
}

function readCapabilities(): bigint {
  try {
    const digits = /^CapEff:\s*([0-9a-f]+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    return BigInt(`0x${digits ?? 0}`);
  } catch {
    return 0n;
  }
}
