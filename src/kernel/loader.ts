import fs from 'node:fs';
import koffi from 'koffi';
import { errnoName } from '../model/errno-name.ts';
import type { ProcessSnapshot } from '../model/process-snapshot.ts';
import { SetupError } from '../model/setup-error.ts';
import type { TlsLibrary } from '../model/tls-library.ts';
import type { TlsUse } from './attached-libraries.ts';
import {
  BPF_TRACE_UPROBE_MULTI,
  BPF_TRACE_UPROBE_SESSION,
  supportsUprobeMulti,
  supportsUprobeSession,
} from './bpf-syscall.ts';
import * as raw from './events.gen.ts';
import type { TlsPrograms } from './file-probes.ts';
import { captureLog, libbpf, type Pointer } from './libbpf.ts';
import { lastErrno } from './libc.ts';
import { LOSS_REASONS } from './losses.ts';
import { checkLayout } from './object-layout.ts';
import { requirePrerequisites } from './prerequisites.ts';
import { readProcesses } from './process-iterator.ts';
import { BUILD_FIX } from './setup-fixes.ts';
import { type AttachResult, type ChangedLibrary, TlsProbes } from './tls-probes.ts';

const LOG_LINES_SHOWN = 25;

export interface ProbeOptions {
  /** The compiled programs. */
  readonly object_path: string;
  /** A power of two, at least a page. */
  readonly ring_bytes: number;
  /** Tell the execs of unwatched processes too. */
  readonly watch_all_execs: boolean;
  /** Watch whatever is seen sending a request to an LLM API. */
  readonly discover_by_traffic: boolean;
  /** Tell what HTTP carries without encryption. By default yes. */
  readonly plain_http?: boolean;
  /** Tell what JSON-RPC carries through pipes, as between agents and MCP servers. By default yes. */
  readonly mcp_stdio?: boolean;
  /** Whose processes are neither told nor discovered: at most 1024 real uids. */
  readonly excluded_uids?: readonly number[];
  /** Attach TLS probes by uprobe_multi links, not one by one. By default where the kernel has them. */
  readonly uprobe_multi?: boolean;
  /** Have one program at both ends of a TLS function, not one at each. By default where the kernel has that. */
  readonly uprobe_session?: boolean;
}

/** The kernel programs, running. */
export interface Probes {
  readonly ring_fd: number;
  readonly ring_bytes: number;
  /** Names of programs that this kernel has no hook for, each with the reason. */
  readonly unattached: readonly string[];
  /**
   * `number` comes with each record of the file (`TlsDataEvent.library`); 0 by default. What is not there for somebody watched,
   * as it is by default, gets the probes alone that show who should be.
   */
  attachTls(library: TlsLibrary, number?: number, use?: TlsUse): AttachResult;
  /** To be called ten times a second: takes the probes of files away that have changed, and gives those. */
  checkTls(): readonly ChangedLibrary[];
  /** Takes the probes of a file away, if it has any. */
  detachTls(library: TlsLibrary): void;
  /** From now on this process and what it forks is watched. `start_ns` 0n: the kernel side finds out. */
  watch(pid: number, start_ns: bigint): void;
  /** Totals since loading, in the order of LOSS_REASONS. */
  readLosses(): readonly number[];
  readProcesses(): readonly ProcessSnapshot[];
  /** Takes everything away. Records that are in the ring can be drained before, not after. */
  close(): Promise<void>;
}

/** Loads and attaches the programs. Throws SetupError, with what to do, for whatever stands in the way. */
export function loadProbes(options: ProbeOptions): Probes {
  requirePrerequisites();
  const object = openObject(options);
  try {
    return startObject(object, options);
  } catch (error) {
    libbpf().object_close(object);
    throw error;
  }
}

function openObject({ object_path }: ProbeOptions): Pointer {
  if (!fs.existsSync(object_path)) {
    throw new SetupError(`The kernel programs are not built: there is no ${object_path}`, BUILD_FIX);
  }
  const { result, log } = captureLog((): Pointer => libbpf().object_open(object_path, null));
  if (result === null) {
    throw new SetupError(`${object_path} is not an object of kernel programs\n${log}`, BUILD_FIX);
  }
  return result;
}

function startObject(object: Pointer, options: ProbeOptions): Probes {
  checkLayout(fs.readFileSync(options.object_path));
  setTunables(object, options);
  const bpf = libbpf();
  const ring: Pointer = findMap(object, 'events');
  bpf.map_set_max_entries(ring, options.ring_bytes);
  const multi = options.uprobe_multi ?? supportsUprobeMulti();
  const session = multi && (options.uprobe_session ?? supportsUprobeSession());
  const prepared = prepareTlsPrograms(object, multi, session);
  load(object);
  excludeUsers(bpf.map_fd(findMap(object, 'excluded_users')), options.excluded_uids ?? []);

  const targets_fd: number = bpf.map_fd(findMap(object, 'targets'));
  const losses_fd: number = bpf.map_fd(findMap(object, 'losses'));
  const iterator = programs(object).find((program) => sectionOf(program).startsWith('iter/task'));
  const returns_fd: number = bpf.map_fd(findMap(object, 'go_returns'));
  const tls = new TlsProbes({
    ...prepared,
    tellGoReturns(number) {
      if (bpf.map_update(returns_fd, u32(number), u32(1), 0) !== 0)
        throw new Error(`the returns of file ${number} cannot be told: ${errnoName(lastErrno())}`);
    },
  });
  const { links, unattached } = attachPrograms(object);

  return {
    ring_fd: bpf.map_fd(ring),
    ring_bytes: options.ring_bytes,
    unattached,
    attachTls: (library, number = 0, use) => tls.attach(library, number, use),
    checkTls: () => tls.check(),
    detachTls: (library) => tls.detach(library),
    watch(pid, start_ns) {
      const value = Buffer.alloc(raw.target.size);
      value.writeBigUInt64LE(start_ns, raw.target.offset.start_ns);
      if (bpf.map_update(targets_fd, u32(pid), value, 0) !== 0) {
        throw new Error(`process ${pid} cannot be watched: ${errnoName(lastErrno())}`);
      }
    },
    readLosses: () => readLosses(losses_fd),
    readProcesses: () => (iterator === undefined ? [] : readProcesses(iterator)),
    async close() {
      await tls.close();
      for (const link of links) bpf.link_destroy(link);
      bpf.object_close(object);
    },
  };
}

/** Says how they will be attached: before they are loaded. */
function prepareTlsPrograms(object: Pointer, multi: boolean, session: boolean): Omit<TlsPrograms, 'tellGoReturns'> {
  const bpf = libbpf();
  const at = (name: string): Pointer => {
    const program = findProgram(object, name);
    if (multi) bpf.program_set_attach_type(program, BPF_TRACE_UPROBE_MULTI);
    return program;
  };
  const atBoth = (name: string): Pointer | undefined => {
    const program = findProgram(object, name);
    if (session) bpf.program_set_attach_type(program, BPF_TRACE_UPROBE_SESSION);
    else bpf.program_set_autoload(program, false);
    return session ? program : undefined;
  };
  const programsFor = (library: string) => ({
    enter: at(`handle_${library}_enter`),
    leave: at(`handle_${library}_return`),
    session: atBoth(`handle_${library}_session`),
  });
  const go = { enter: at('handle_go_enter'), leave: at('handle_go_return') };
  return { tls: programsFor('tls'), rustls: programsFor('rustls'), go, multi };
}

function load(object: Pointer): void {
  const { result, log } = captureLog((): number => libbpf().object_load(object));
  if (result === 0) return;
  const lines = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  throw new SetupError(
    `The kernel refuses the programs (${errnoName(-result)})\n${lines}`,
    'Report this with the lines above and the output of `uname -r`.',
  );
}

function excludeUsers(fd: number, uids: readonly number[]): void {
  for (const uid of uids) {
    if (libbpf().map_update(fd, u32(uid), Buffer.from([1]), 0) !== 0)
      throw new Error(`user ${uid} cannot be excluded: ${errnoName(lastErrno())}`);
  }
}

function setTunables(object: Pointer, options: ProbeOptions): void {
  const size: [number | bigint] = [0];
  const memory: Pointer = libbpf().map_initial_value(findMap(object, '.rodata'), size);
  if (memory === null || Number(size[0]) !== raw.tunables.size) throw new Error('the object has no tunables');
  const view = new DataView(koffi.view(memory, raw.tunables.size));
  const { offset } = raw.tunables;
  view.setUint32(offset.own_pid, process.pid, true);
  view.setUint32(offset.watch_all_execs, Number(options.watch_all_execs), true);
  view.setUint32(offset.discover_by_traffic, Number(options.discover_by_traffic), true);
  view.setUint32(offset.plain_http, Number(options.plain_http ?? true), true);
  view.setUint32(offset.mcp_stdio, Number(options.mcp_stdio ?? true), true);
}

/** Attaches every program that its section ties to a hook; the rest is called by others, or attached on demand. */
function attachPrograms(object: Pointer): {
  readonly links: readonly Pointer[];
  readonly unattached: readonly string[];
} {
  const links: Pointer[] = [];
  const unattached: string[] = [];
  for (const program of programs(object)) {
    const isHooked = /^(raw_tp|raw_tracepoint|tp|tracepoint|tp_btf)\/./.test(sectionOf(program));
    if (!isHooked || !libbpf().program_autoload(program)) continue;
    const { result } = captureLog(() => {
      const link: Pointer = libbpf().program_attach(program);
      return { link, errno: lastErrno() };
    });
    if (result.link === null) unattached.push(`${libbpf().program_name(program)}: ${errnoName(result.errno)}`);
    else links.push(result.link);
  }
  if (links.length === 0) {
    throw new SetupError(`No kernel program could be attached (${unattached.join(', ')})`, 'See `undersight doctor`.');
  }
  return { links, unattached };
}

function programs(object: Pointer): readonly Pointer[] {
  const found: Pointer[] = [];
  let program: Pointer = libbpf().object_next_program(object, null);
  for (; program !== null; program = libbpf().object_next_program(object, program)) found.push(program);
  return found;
}

function sectionOf(program: Pointer): string {
  return libbpf().program_section(program);
}

function findProgram(object: Pointer, name: string): Pointer {
  const program: Pointer = libbpf().object_find_program(object, name);
  if (program === null) throw new Error(`the object has no program ${name}`);
  return program;
}

function findMap(object: Pointer, name: string): Pointer {
  const map: Pointer = libbpf().object_find_map(object, name);
  if (map === null) throw new Error(`the object has no map ${name}`);
  return map;
}

/** Sums of all CPUs. */
function readLosses(fd: number): number[] {
  const values = Buffer.alloc(8 * libbpf().num_possible_cpus());
  return LOSS_REASONS.map((_, index) => {
    if (libbpf().map_lookup(fd, u32(index), values) !== 0) return 0;
    let total = 0;
    for (let at = 0; at < values.length; at += 8) total += Number(values.readBigUInt64LE(at));
    return total;
  });
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
