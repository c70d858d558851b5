import fs from 'node:fs';
import koffi from 'koffi';
import type { TlsFunctionName, TlsLibrary } from '../model/tls-library.ts';
import { createUprobeMulti } from './bpf-syscall.ts';
import { tls_function } from './events.gen.ts';
import { libbpf, type Pointer, UPROBE_OPTIONS } from './libbpf.ts';
import { errnoName, lastErrno, libc } from './libc.ts';

/** What the programs are told by cookie. */
const COOKIES: Readonly<Record<TlsFunctionName, number>> = {
  SSL_read: tls_function.TLS_FUNCTION_READ,
  SSL_read_ex: tls_function.TLS_FUNCTION_READ_EX,
  SSL_write: tls_function.TLS_FUNCTION_WRITE,
  SSL_write_ex: tls_function.TLS_FUNCTION_WRITE_EX,
  SSL_free: tls_function.TLS_FUNCTION_FREE,
};
const MAX_LIBRARIES = 1024;

export type AttachResult = 'attached' | 'already' | { readonly failed: string };

/** Puts probes on TLS libraries, each file once however many paths it has. */
export class TlsProbes {
  readonly #enter: Pointer;
  readonly #leave: Pointer;
  readonly #multi: boolean;
  readonly #attached = new Set<string>();
  readonly #linkFds: number[] = [];
  readonly #links: Pointer[] = [];

  /** `enter` runs when a function begins, `leave` when it returns. `multi`: by uprobe_multi links, for which they were loaded. */
  constructor(enter: Pointer, leave: Pointer, multi: boolean) {
    this.#multi = multi;
    this.#enter = enter;
    this.#leave = leave;
  }

  get count(): number {
    return this.#attached.size;
  }

  attach(library: TlsLibrary): AttachResult {
    const key = `${library.device}:${library.inode}`;
    if (this.#attached.has(key)) return 'already';
    if (this.#attached.size >= MAX_LIBRARIES) return { failed: `more than ${MAX_LIBRARIES} libraries` };
    let fd: number;
    try {
      fd = fs.openSync(library.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      return { failed: (error as Error).message };
    }
    try {
      const { dev, ino } = fs.fstatSync(fd, { bigint: true });
      if (dev !== library.device || ino !== library.inode) return { failed: 'another file has taken its place' };
      // What is attached is the file that was looked into, whatever its path leads to by now.
      const failed = this.#attachFile(`/proc/self/fd/${fd}`, library);
      if (failed !== undefined) return { failed };
      this.#attached.add(key);
      return 'attached';
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Takes all probes away. For each the kernel waits for programs that run: in parallel that is one wait, not many. */
  async close(): Promise<void> {
    const done = (start: (callback: () => void) => void) => new Promise<void>((resolve) => start(resolve));
    const links = this.#links.splice(0).map((link) => done((callback) => libbpf().link_destroy.async(link, callback)));
    const fds = this.#linkFds.splice(0).map((fd) => done((callback) => libc.close.async(fd, callback)));
    await Promise.all([...links, ...fds]);
  }

  #attachFile(path: string, { functions }: TlsLibrary): string | undefined {
    const returning = functions.filter((one) => one.name !== 'SSL_free');
    // Returns first: a call seen to begin is then always seen to end.
    const steps = [
      { at: 'return', program: this.#leave, functions: returning },
      { at: 'entry', program: this.#enter, functions },
    ] as const;
    for (const { at, program, functions } of steps) {
      const failed = this.#multi
        ? this.#attachMulti(path, program, functions, at)
        : this.#attachEach(path, program, functions, at);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  #attachMulti(path: string, program: Pointer, functions: TlsLibrary['functions'], at: 'entry' | 'return') {
    const fd = createUprobeMulti({
      program_fd: libbpf().program_fd(program),
      path,
      offsets: functions.map((one) => one.file_offset),
      cookies: functions.map((one) => BigInt(COOKIES[one.name])),
      at,
    });
    if (fd < 0) return `uprobe_multi: ${errnoName(-fd)}`;
    this.#linkFds.push(fd);
    return undefined;
  }

  #attachEach(path: string, program: Pointer, functions: TlsLibrary['functions'], at: 'entry' | 'return') {
    for (const { name, file_offset } of functions) {
      const options = {
        sz: koffi.sizeof(UPROBE_OPTIONS),
        ref_ctr_offset: 0,
        bpf_cookie: COOKIES[name],
        retprobe: at === 'return',
        func_name: null,
      };
      const link: Pointer = libbpf().program_attach_uprobe(program, -1, path, file_offset, options);
      if (link === null) return `uprobe ${name}: ${errnoName(lastErrno())}`;
      this.#links.push(link);
    }
    return undefined;
  }
}
