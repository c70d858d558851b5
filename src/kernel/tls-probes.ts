import fs from 'node:fs';
import koffi from 'koffi';
import { errnoName } from '../model/errno-name.ts';
import type { TlsFunction, TlsLibrary } from '../model/tls-library.ts';
import { AttachedLibraries } from './attached-libraries.ts';
import { createUprobeMulti, type UprobeMulti } from './bpf-syscall.ts';
import { libbpf, type Pointer, UPROBE_OPTIONS } from './libbpf.ts';
import { lastErrno, libc } from './libc.ts';
import { cookieOf, groupOf, isFree } from './tls-cookie.ts';

const MAX_LIBRARIES = 1024;

/**
 * `attached_for_another`: another library's probes were taken away to make room. `gone`: the file, or the process through
 * which it was found, is no more. `failed` names the cause and no file.
 */
export type AttachResult = 'attached' | 'attached_for_another' | 'already' | 'gone' | { readonly failed: string };

/** What runs at the functions of some libraries. */
interface FunctionPrograms {
  /** When a function begins. */
  readonly enter: Pointer;
  /** When it returns. */
  readonly leave: Pointer;
  /** At both ends, instead of these two, for functions that move data; undefined where the kernel has no such links. */
  readonly session: Pointer | undefined;
}

export interface TlsPrograms {
  readonly tls: FunctionPrograms;
  readonly rustls: FunctionPrograms;
  /** For functions whose return instructions are probed, as their return address must not be replaced. */
  readonly go: Pick<FunctionPrograms, 'enter' | 'leave'>;
  /** Whether they are attached by uprobe_multi links, for which they were loaded. */
  readonly multi: boolean;
}

/** The probes on one file. */
interface FileProbes {
  readonly link_fds: number[];
  readonly links: Pointer[];
}

/** Puts probes on TLS libraries, each file once however many paths it has. */
export class TlsProbes {
  readonly #programs: TlsPrograms;
  readonly #attached = new AttachedLibraries<FileProbes>(MAX_LIBRARIES);
  readonly #detaching = new Set<Promise<unknown>>();

  constructor(programs: TlsPrograms) {
    this.#programs = programs;
  }

  /** `number` comes with each record of the file: at most 32 bits. */
  attach(library: TlsLibrary, number: number): AttachResult {
    if (this.#attached.see(library)) return 'already';
    let fd: number;
    try {
      fd = fs.openSync(library.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : { failed: code ?? message };
    }
    try {
      const { dev, ino } = fs.fstatSync(fd, { bigint: true });
      if (dev !== library.device || ino !== library.inode) return 'gone';
      const probes: FileProbes = { link_fds: [], links: [] };
      // What is attached is the file that was looked into, whatever its path leads to by now.
      const failed = this.#attachFile(`/proc/self/fd/${fd}`, library, number, probes);
      if (failed !== undefined) {
        this.#detach(probes);
        return { failed };
      }
      const evicted = this.#attached.add(library, probes);
      if (evicted !== undefined) this.#detach(evicted);
      return evicted === undefined ? 'attached' : 'attached_for_another';
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Takes the probes of one file away, if it has any. */
  detach(library: TlsLibrary): void {
    const probes = this.#attached.take(library);
    if (probes !== undefined) this.#detach(probes);
  }

  /** Takes all probes away. For each the kernel waits for programs that run: in parallel that is one wait, not many. */
  async close(): Promise<void> {
    for (const probes of this.#attached.takeAll()) this.#detach(probes);
    await Promise.all(this.#detaching);
  }

  #detach({ link_fds, links }: FileProbes): void {
    const begin = (start: (callback: () => void) => void) => {
      const done: Promise<unknown> = new Promise<void>((resolve) => start(resolve)).then(() =>
        this.#detaching.delete(done),
      );
      this.#detaching.add(done);
    };
    for (const link of links) begin((callback) => libbpf().link_destroy.async(link, callback));
    for (const fd of link_fds) begin((callback) => libc.close.async(fd, callback));
  }

  #attachFile(path: string, library: TlsLibrary, number: number, probes: FileProbes): string | undefined {
    const { tls, rustls, go, multi } = this.#programs;
    const groups = Object.groupBy(library.functions, groupOf);
    // Returns first: a call seen to begin is then always seen to end.
    const steps: readonly Step[] = [
      ...stepsOf(tls, groups.tls ?? []),
      ...stepsOf(rustls, groups.rustls ?? []),
      { at: 'entry', program: go.leave, functions: (groups.go ?? []).flatMap(returnsOf) },
      { at: 'entry', program: go.enter, functions: groups.go ?? [] },
    ];
    for (const step of steps) {
      if (step.functions.length === 0) continue;
      const failed = multi ? attachMulti(path, step, number, probes) : attachEach(path, step, number, probes);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }
}

function stepsOf({ enter, leave, session }: FunctionPrograms, functions: readonly TlsFunction[]): readonly Step[] {
  const ending = functions.filter(({ name }) => isFree(name));
  const moving = functions.filter(({ name }) => !isFree(name));
  return session === undefined
    ? [
        { at: 'return', program: leave, functions: moving },
        { at: 'entry', program: enter, functions },
      ]
    : [
        { at: 'both', program: session, functions: moving },
        { at: 'entry', program: enter, functions: ending },
      ];
}

function returnsOf({ name, return_offsets = [] }: TlsFunction): TlsFunction[] {
  return return_offsets.map((file_offset) => ({ name, file_offset }));
}

interface Step {
  readonly at: UprobeMulti['at'];
  readonly program: Pointer;
  readonly functions: readonly TlsFunction[];
}

const placeOf = ({ file_offset, probe_skip_bytes = 0 }: TlsFunction): bigint => file_offset + BigInt(probe_skip_bytes);

function attachMulti(path: string, step: Step, number: number, { link_fds }: FileProbes): string | undefined {
  const { at, program, functions } = step;
  const fd = createUprobeMulti({
    program_fd: libbpf().program_fd(program),
    path,
    offsets: functions.map(placeOf),
    cookies: functions.map(({ name }) => cookieOf(name, number)),
    at,
  });
  if (fd < 0) return `uprobe_multi: ${errnoName(-fd)}`;
  link_fds.push(fd);
  return undefined;
}

function attachEach(path: string, step: Step, number: number, { links }: FileProbes): string | undefined {
  const { at, program, functions } = step;
  for (const one of functions) {
    const options = {
      sz: koffi.sizeof(UPROBE_OPTIONS),
      ref_ctr_offset: 0,
      bpf_cookie: cookieOf(one.name, number),
      retprobe: at === 'return',
      func_name: null,
    };
    const link: Pointer = libbpf().program_attach_uprobe(program, -1, path, placeOf(one), options);
    if (link === null) return `uprobe ${one.name}: ${errnoName(lastErrno())}`;
    links.push(link);
  }
  return undefined;
}
