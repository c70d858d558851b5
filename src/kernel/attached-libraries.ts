import fs from 'node:fs';
import type { TlsLibrary } from '../model/tls-library.ts';

/** Who is expected to call a file's functions: somebody watched (this process, if that is known), or anyone. */
export interface TlsUse {
  readonly by: 'watched' | 'anyone';
  readonly pid?: number;
}

interface Entry<Held> {
  library: TlsLibrary;
  readonly held: Held;
  by: TlsUse['by'];
  /** Watched processes that have it mapped, or had. */
  readonly pids: Set<number>;
}

/** Of how many processes one file remembers that they use it. */
const MAX_PIDS = 64;

/** Libraries with what is held for each, no more than `capacity`; a file is the same under all its paths. */
export class AttachedLibraries<Held> {
  readonly #capacity: number;
  /** Those seen longest ago first. */
  readonly #entries = new Map<string, Entry<Held>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What is held for this file, whatever its contents were; it then counts as seen just now. `is_new`: nobody watched had it. */
  see(library: TlsLibrary, use: TlsUse): { readonly held: Held; readonly is_new: boolean } | undefined {
    return this.#see(keyOf(library), library, use);
  }

  /** The same for a file that is this one under another device number, as overlay mounts of one directory have it. */
  seeTwin(library: TlsLibrary, use: TlsUse): { readonly held: Held; readonly is_new: boolean } | undefined {
    for (const [key, { library: known }] of this.#entries) {
      const isTwin =
        known.inode === library.inode && known.version === library.version && known.build_id === library.build_id;
      if (isTwin) return this.#see(key, known, use);
    }
    return undefined;
  }

  /**
   * Makes room for one more: of what no living watched process uses, that goes whose file is gone, else what is there for
   * anyone, else what was seen longest ago. False where all is in use.
   */
  makeRoom(): { readonly evicted: Held | undefined } | false {
    if (this.#entries.size < this.#capacity) return { evicted: undefined };
    const unused = [...this.#entries.values()].filter(({ pids }) => ![...pids].some(isRunning));
    const entry =
      unused.find(({ library }) => !isThere(library)) ?? unused.find(({ by }) => by === 'anyone') ?? unused[0];
    if (entry === undefined) return false;
    return { evicted: this.take(entry.library) };
  }

  add(library: TlsLibrary, held: Held, use: TlsUse): void {
    this.#entries.set(keyOf(library), { library, held, by: use.by, pids: new Set() });
    this.#see(keyOf(library), library, use);
  }

  get(
    library: TlsLibrary,
  ): { readonly library: TlsLibrary; readonly held: Held; readonly by: TlsUse['by'] } | undefined {
    return this.#entries.get(keyOf(library));
  }

  /** Forgets a file; returns what was held for it, if it was there. */
  take(library: TlsLibrary): Held | undefined {
    const key = keyOf(library);
    const held = this.#entries.get(key)?.held;
    this.#entries.delete(key);
    return held;
  }

  /** All of them, those seen longest ago first. */
  all(): readonly { readonly library: TlsLibrary; readonly held: Held; readonly by: TlsUse['by'] }[] {
    return [...this.#entries.values()];
  }

  #see(key: string, library: TlsLibrary, use: TlsUse): { readonly held: Held; readonly is_new: boolean } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const is_new = use.by === 'watched' && entry.by !== 'watched';
    entry.library = library;
    if (is_new) entry.by = use.by;
    if (use.pid !== undefined) remember(entry.pids, use.pid);
    return { held: entry.held, is_new };
  }
}

function remember(pids: Set<number>, pid: number): void {
  pids.add(pid);
  if (pids.size <= MAX_PIDS) return;
  for (const one of pids) if (!isRunning(one)) pids.delete(one);
  if (pids.size > MAX_PIDS) pids.delete(pids.values().next().value as number);
}

const isRunning = (pid: number): boolean => fs.existsSync(`/proc/${pid}`);

function keyOf({ device, inode }: TlsLibrary): string {
  return `${device}:${inode}`;
}

function isThere({ path, device, inode }: TlsLibrary): boolean {
  try {
    const stat = fs.statSync(path, { bigint: true });
    return stat.dev === device && stat.ino === inode;
  } catch {
    return false;
  }
}
