import fs from 'node:fs';
import koffi from 'koffi';
import { errnoName } from '../model/errno-name.ts';
import type { TlsFunction, TlsFunctionName, TlsLibrary } from '../model/tls-library.ts';
import { AttachedLibraries } from './attached-libraries.ts';
import { createUprobeMulti } from './bpf-syscall.ts';
import { tls_function } from './events.gen.ts';
import { libbpf, type Pointer, UPROBE_OPTIONS } from './libbpf.ts';
import { lastErrno, libc } from './libc.ts';

/** What the programs are told by cookie. */
const COOKIES: Readonly<Record<TlsFunctionName, number>> = {
  SSL_read: tls_function.TLS_FUNCTION_READ,
  SSL_read_ex: tls_function.TLS_FUNCTION_READ_EX,
  SSL_write: tls_function.TLS_FUNCTION_WRITE,
  SSL_write_ex: tls_function.TLS_FUNCTION_WRITE_EX,
  SSL_free: tls_function.TLS_FUNCTION_FREE,
  rustls_encrypt: tls_function.TLS_FUNCTION_RUSTLS_ENCRYPT,
  rustls_decrypt: tls_function.TLS_FUNCTION_RUSTLS_DECRYPT,
  go_conn_read: tls_function.TLS_FUNCTION_GO_READ,
  go_conn_write: tls_function.TLS_FUNCTION_GO_WRITE,
  go_conn_close: tls_function.TLS_FUNCTION_GO_CLOSE,
};
const MAX_LIBRARIES = 1024;

/**
 * `attached_for_another`: another library's probes were taken away to make room. `gone`: the file, or the process through
 * which it was found, is no more. `failed` names the cause and no file.
 */
export type AttachResult = 'attached' | 'attached_for_another' | 'already' | 'gone' | { readonly failed: string };

/** For functions whose return instructions are probed. */
export interface GoPrograms {
  readonly enter: Pointer;
  readonly leave: Pointer;
}

/** The probes on one file. */
interface FileProbes {
  readonly link_fds: number[];
  readonly links: Pointer[];
}

/** Puts probes on TLS libraries, each file once however many paths it has. */
export class TlsProbes {
  readonly #enter: Pointer;
  readonly #leave: Pointer;
  readonly #go: GoPrograms;
  readonly #multi: boolean;
  readonly #attached = new AttachedLibraries<FileProbes>(MAX_LIBRARIES);
  readonly #detaching = new Set<Promise<unknown>>();

  /**
   * `enter` runs when a function begins, `leave` when it returns; `go` are those for functions with return offsets. `multi`: by
   * uprobe_multi links, for which they were loaded.
   */
  constructor(enter: Pointer, leave: Pointer, go: GoPrograms, multi: boolean) {
    this.#multi = multi;
    this.#enter = enter;
    this.#leave = leave;
    this.#go = go;
  }

  attach(library: TlsLibrary): AttachResult {
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
      const failed = this.#attachFile(`/proc/self/fd/${fd}`, library, probes);
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

  #attachFile(path: string, { functions }: TlsLibrary, probes: FileProbes): string | undefined {
    const others = functions.filter((one) => one.return_offsets === undefined);
    const returning = others.filter((one) => one.name !== 'SSL_free');
    const go = functions.filter((one) => one.return_offsets !== undefined);
    // Returns first: a call seen to begin is then always seen to end.
    const steps = [
      { at: 'return', program: this.#leave, functions: returning },
      { at: 'entry', program: this.#enter, functions: others },
      { at: 'entry', program: this.#go.leave, functions: go.flatMap(returnsOf) },
      { at: 'entry', program: this.#go.enter, functions: go },
    ] as const;
    for (const step of steps) {
      if (step.functions.length === 0) continue;
      const failed = this.#multi ? attachMulti(path, step, probes) : attachEach(path, step, probes);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }
}

function returnsOf({ name, return_offsets = [] }: TlsFunction): TlsFunction[] {
  return return_offsets.map((file_offset) => ({ name, file_offset }));
}

interface Step {
  readonly at: 'entry' | 'return';
  readonly program: Pointer;
  readonly functions: TlsLibrary['functions'];
}

const placeOf = ({ file_offset, probe_skip_bytes = 0 }: TlsFunction): bigint => file_offset + BigInt(probe_skip_bytes);

function attachMulti(path: string, { at, program, functions }: Step, { link_fds }: FileProbes): string | undefined {
  const fd = createUprobeMulti({
    program_fd: libbpf().program_fd(program),
    path,
    offsets: functions.map(placeOf),
    cookies: functions.map((one) => BigInt(COOKIES[one.name])),
    at,
  });
  if (fd < 0) return `uprobe_multi: ${errnoName(-fd)}`;
  link_fds.push(fd);
  return undefined;
}

function attachEach(path: string, { at, program, functions }: Step, { links }: FileProbes): string | undefined {
  for (const one of functions) {
    const { name } = one;
    const options = {
      sz: koffi.sizeof(UPROBE_OPTIONS),
      ref_ctr_offset: 0,
      bpf_cookie: COOKIES[name],
      retprobe: at === 'return',
      func_name: null,
    };
    const link: Pointer = libbpf().program_attach_uprobe(program, -1, path, placeOf(one), options);
    if (link === null) return `uprobe ${name}: ${errnoName(lastErrno())}`;
    links.push(link);
  }
  return undefined;
}
