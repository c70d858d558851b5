import fs from 'node:fs';
import { versionOf } from '../model/file-identity.ts';
import type { TlsLibrary } from '../model/tls-library.ts';
import { AttachedLibraries, type TlsUse } from './attached-libraries.ts';
import { FileProbes, type TlsPrograms } from './file-probes.ts';

const MAX_LIBRARIES = 1024;
/** Ten times a second: each file within a second or so. */
const CHECKED_AT_ONCE = 110;
const OVERLAYFS_SUPER_MAGIC = 0x794c7630;

/**
 * `attached_for_another`: another library's probes were taken away to make room. `gone`: the file, or the process through
 * which it was found, is no more, or it changes at this moment. `failed` names the cause and no file.
 */
export type AttachResult = 'attached' | 'attached_for_another' | 'already' | 'gone' | { readonly failed: string };

/** Puts probes on TLS libraries, each file once however many paths it has, and takes them away where a file changes. */
export class TlsProbes {
  readonly #programs: TlsPrograms;
  readonly #attached = new AttachedLibraries<FileProbes>(MAX_LIBRARIES);
  readonly #detaching = new Set<Promise<unknown>>();
  #changed: ChangedLibrary[] = [];
  #checked = 0;

  constructor(programs: TlsPrograms) {
    this.#programs = programs;
  }

  /** `number` comes with each record of the file: at most 32 bits. */
  attach(library: TlsLibrary, number: number, use: TlsUse = { by: 'watched' }): AttachResult {
    const known = this.#see(library, use);
    if (known !== undefined) return known;
    let fd: number;
    try {
      fd = fs.openSync(library.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : { failed: code ?? message };
    }
    if (!isStill(library, fd)) {
      fs.closeSync(fd);
      return 'gone';
    }
    const twin = isOnOverlay(fd) ? this.#attached.seeTwin(library, use) : undefined;
    const room = twin ?? this.#attached.makeRoom();
    if (twin !== undefined || room === false) {
      fs.closeSync(fd);
      return twin === undefined ? { failed: 'too many files' } : this.#attachRest(twin.held, twin.is_new);
    }
    const probes = new FileProbes(this.#programs, library, number, fd, () => this.#check(library, probes));
    if ('evicted' in room && room.evicted !== undefined) this.#detach(room.evicted);
    const failed = probes.attach(use.by === 'watched' ? 'whole' : 'sight');
    if (failed !== undefined || !isStill(library, fd)) {
      this.#detach(probes);
      return failed === undefined ? 'gone' : { failed };
    }
    this.#attached.add(library, probes, use);
    return 'evicted' in room && room.evicted !== undefined ? 'attached_for_another' : 'attached';
  }

  /** Takes the probes of one file away, if it has any. */
  detach(library: TlsLibrary): void {
    const probes = this.#attached.take(library);
    if (probes !== undefined) this.#detach(probes);
  }

  /** Looks at some of the files; gives those of which the probes were taken away, since the last time, as they had changed. */
  check(): readonly ChangedLibrary[] {
    const all = this.#attached.all();
    const count = Math.min(all.length, CHECKED_AT_ONCE);
    for (let index = 0; index < count; index++) {
      const entry = all[(this.#checked + index) % all.length];
      if (entry !== undefined) this.#check(entry.library, entry.held);
    }
    this.#checked = all.length === 0 ? 0 : (this.#checked + count) % all.length;
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /** Takes all probes away. For each the kernel waits for programs that run: in parallel that is one wait, not many. */
  async close(): Promise<void> {
    for (const { library } of this.#attached.all()) this.detach(library);
    await Promise.all(this.#detaching);
  }

  /** What has been done about this file already, if that will do. */
  #see(library: TlsLibrary, use: TlsUse): AttachResult | undefined {
    const known = this.#attached.see(library, use);
    if (known === undefined) return undefined;
    if (!known.held.hasChanged()) return this.#attachRest(known.held, known.is_new);
    // What stands there now is another program: none of the old probes may be left when new ones come.
    this.detach(library);
    return undefined;
  }

  #attachRest(probes: FileProbes, is_new: boolean): AttachResult {
    const failed = is_new ? probes.attach('rest') : undefined;
    return failed === undefined ? 'already' : { failed };
  }

  #check(library: TlsLibrary, probes: FileProbes): void {
    const entry = this.#attached.get(library);
    if (entry?.held !== probes || !probes.hasChanged()) return;
    this.detach(library);
    if (this.#changed.length < MAX_LIBRARIES) this.#changed.push({ path: entry.library.path, by: entry.by });
  }

  #detach(probes: FileProbes): void {
    for (const done of probes.detach()) {
      const all: Promise<unknown> = done.then(() => this.#detaching.delete(all));
      this.#detaching.add(all);
    }
  }
}

/** A file whose probes were taken away, and for whom they had been there. */
export interface ChangedLibrary {
  readonly path: string;
  readonly by: TlsUse['by'];
}

function isStill({ device, inode, version }: TlsLibrary, fd: number): boolean {
  const stat = fs.fstatSync(fd, { bigint: true });
  return stat.dev === device && stat.ino === inode && versionOf(stat) === version;
}

function isOnOverlay(fd: number): boolean {
  return fs.statfsSync(`/proc/self/fd/${fd}`).type === OVERLAYFS_SUPER_MAGIC;
}
