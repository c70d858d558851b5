import fs from 'node:fs';
import type { TlsLibrary } from '../model/tls-library.ts';

interface Entry<Held> {
  readonly library: TlsLibrary;
  readonly held: Held;
}

/** Libraries with what is held for each, no more than `capacity`; a file is the same under all its paths. */
export class AttachedLibraries<Held> {
  readonly #capacity: number;
  /** Those seen longest ago first. */
  readonly #entries = new Map<string, Entry<Held>>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether it is among them; it then counts as seen just now, by this path. */
  see(library: TlsLibrary): boolean {
    const key = keyOf(library);
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#entries.set(key, { library, held: entry.held });
    return true;
  }

  /** Returns what was held for a library that had to make room: one whose file is gone, else the one seen longest ago. */
  add(library: TlsLibrary, held: Held): Held | undefined {
    const evicted = this.#entries.size >= this.#capacity ? this.#evict() : undefined;
    this.#entries.set(keyOf(library), { library, held });
    return evicted;
  }

  /** Forgets a library; returns what was held for it, if it was there. */
  take(library: TlsLibrary): Held | undefined {
    const key = keyOf(library);
    const held = this.#entries.get(key)?.held;
    this.#entries.delete(key);
    return held;
  }

  /** Empties it. */
  takeAll(): readonly Held[] {
    const all = [...this.#entries.values()].map((entry) => entry.held);
    this.#entries.clear();
    return all;
  }

  #evict(): Held | undefined {
    const entries = this.#entries.values();
    const entry = entries.find(({ library }) => !isThere(library)) ?? this.#entries.values().next().value;
    if (entry !== undefined) this.#entries.delete(keyOf(entry.library));
    return entry?.held;
  }
}

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
