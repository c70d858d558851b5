/** A map that forgets what was put in first. A key that is put in again counts as new. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #max_entries: number;
  readonly #onForget: (key: Key, value: Value) => void;

  constructor(max_entries: number, onForget: (key: Key, value: Value) => void = () => {}) {
    this.#max_entries = max_entries;
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max_entries) return;
    const oldest = this.#entries.entries().next().value;
    if (oldest === undefined) return;
    this.#entries.delete(oldest[0]);
    this.#onForget(oldest[0], oldest[1]);
  }

  [Symbol.iterator](): Iterator<[Key, Value]> {
    return this.#entries[Symbol.iterator]();
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }
}
