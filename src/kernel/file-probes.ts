import fs from 'node:fs';
import koffi from 'koffi';
import { errnoName } from '../model/errno-name.ts';
import { versionOf } from '../model/file-identity.ts';
import type { TlsFunction, TlsLibrary } from '../model/tls-library.ts';
import { createUprobeMulti, type UprobeMulti } from './bpf-syscall.ts';
import { libbpf, type Pointer, UPROBE_OPTIONS } from './libbpf.ts';
import { lastErrno, libc } from './libc.ts';
import { cookieOf, groupOf, isFree } from './tls-cookie.ts';

/** As many as the longest instruction has, which the kernel keeps a copy of. */
const INSTRUCTION_BYTES = 16;

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
  /** Says that the returns of Go functions in the file with this number are probed. */
  readonly tellGoReturns: (number: number) => void;
  /** Whether they are attached by uprobe_multi links, for which they were loaded. */
  readonly multi: boolean;
}

/** The probes on one file, which is held open: whatever its path leads to by now, this is the file that was looked into. */
export class FileProbes {
  readonly #programs: TlsPrograms;
  readonly #library: TlsLibrary;
  readonly #number: number;
  readonly #fd: number;
  readonly #instructions: Buffer;
  readonly #link_fds: number[] = [];
  readonly #links: Pointer[] = [];
  readonly #watcher: fs.FSWatcher | undefined;
  #version: string;

  /** Takes `fd`. `onChange` is called soon after the file may have changed, where the file system tells. */
  constructor(programs: TlsPrograms, library: TlsLibrary, number: number, fd: number, onChange: () => void) {
    this.#programs = programs;
    this.#library = library;
    this.#number = number;
    this.#fd = fd;
    this.#version = library.version;
    this.#instructions = this.#readInstructions();
    this.#watcher = watch(this.#path, onChange);
  }

  /** Whether its contents, and no longer those that were looked into, may stand where the probes are. */
  hasChanged(): boolean {
    const stat = fs.fstatSync(this.#fd, { bigint: true });
    const version = versionOf(stat);
    if (version === this.#version) return false;
    const [size, modified] = version.split(':');
    const [known_size, known_modified] = this.#version.split(':');
    // A new name, or owner, or none: as when a running program is replaced by another file.
    const isSame = size === known_size && modified === known_modified;
    if (!isSame || !this.#readInstructions().equals(this.#instructions)) return true;
    this.#version = version;
    return false;
  }

  /**
   * Attaches all probes (`whole`), or those of them that show who should be watched (`sight`), or those that were left out then
   * (`rest`). Returns why that failed, with no file's name.
   */
  attach(part: 'whole' | 'sight' | 'rest'): string | undefined {
    for (const step of this.#stepsOf(part)) {
      if (step.functions.length === 0) continue;
      const failed = this.#programs.multi ? this.#attachMulti(step) : this.#attachEach(step);
      if (failed !== undefined) return failed;
      if (step.program === this.#programs.go.leave) this.#programs.tellGoReturns(this.#number);
    }
    return undefined;
  }

  /** Takes all probes away; what it starts is done when these are. */
  detach(): Promise<unknown>[] {
    this.#watcher?.close();
    fs.closeSync(this.#fd);
    const until = (start: (callback: () => void) => void) => new Promise<void>((resolve) => start(resolve));
    return [
      ...this.#links.map((link) => until((callback) => libbpf().link_destroy.async(link, callback))),
      ...this.#link_fds.map((fd) => until((callback) => libc.close.async(fd, callback))),
    ];
  }

  get #path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  #stepsOf(part: 'whole' | 'sight' | 'rest'): readonly Step[] {
    const { tls, rustls, go } = this.#programs;
    const groups = Object.groupBy(this.#library.functions, groupOf);
    const inGo = groups.go ?? [];
    const moving = inGo.filter(({ name }) => name !== 'go_conn_close');
    const enter: Step = { at: 'entry', program: go.enter, functions: moving };
    // Returns first: a call seen to begin is then always seen to end.
    const rest: readonly Step[] = [
      { at: 'entry', program: go.leave, functions: inGo.flatMap(returnsOf) },
      { at: 'entry', program: go.enter, functions: inGo.filter(({ name }) => name === 'go_conn_close') },
    ];
    if (part === 'rest') return rest;
    const both = [...stepsOf(tls, groups.tls ?? []), ...stepsOf(rustls, groups.rustls ?? [])];
    return part === 'sight' ? [...both, enter] : [...both, ...rest, enter];
  }

  #attachMulti({ at, program, functions }: Step): string | undefined {
    const fd = createUprobeMulti({
      program_fd: libbpf().program_fd(program),
      path: this.#path,
      offsets: functions.map(placeOf),
      cookies: functions.map(({ name }) => cookieOf(name, this.#number)),
      at,
    });
    if (fd < 0) return `uprobe_multi: ${errnoName(-fd)}`;
    this.#link_fds.push(fd);
    return undefined;
  }

  #attachEach({ at, program, functions }: Step): string | undefined {
    for (const one of functions) {
      const options = {
        sz: koffi.sizeof(UPROBE_OPTIONS),
        ref_ctr_offset: 0,
        bpf_cookie: cookieOf(one.name, this.#number),
        retprobe: at === 'return',
        func_name: null,
      };
      const link: Pointer = libbpf().program_attach_uprobe(program, -1, this.#path, placeOf(one), options);
      if (link === null) return `uprobe ${one.name}: ${errnoName(lastErrno())}`;
      this.#links.push(link);
    }
    return undefined;
  }

  /** What stands where the probes are, as the file has it: none of them is seen there. */
  #readInstructions(): Buffer {
    const places = this.#library.functions.flatMap((one) => [placeOf(one), ...(one.return_offsets ?? [])]);
    const bytes = Buffer.alloc(INSTRUCTION_BYTES * places.length);
    try {
      for (const [index, place] of places.entries())
        fs.readSync(this.#fd, bytes, INSTRUCTION_BYTES * index, INSTRUCTION_BYTES, place);
    } catch {
      // What cannot be read is not what it was, unless it could not be read then either.
    }
    return bytes;
  }
}

interface Step {
  readonly at: UprobeMulti['at'];
  readonly program: Pointer;
  readonly functions: readonly TlsFunction[];
}

const placeOf = ({ file_offset, probe_skip_bytes = 0 }: TlsFunction): bigint => file_offset + BigInt(probe_skip_bytes);

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

/** Nobody else is told: undefined where there is no room for one more watch, as files are looked at now and then anyway. */
function watch(file: string, onChange: () => void): fs.FSWatcher | undefined {
  try {
    const watcher = fs.watch(file, { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    return undefined;
  }
}
