import path from 'node:path';
import type { EventBase } from '../model/event.ts';
import type { EventHeader } from './events.gen.ts';

/** One record of the ring: its struct by `view`, the parts of its `data` one after the other by `take`. */
export class RingRecord {
  readonly view: DataView;
  readonly base: EventBase;
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, view: DataView, base: EventBase, dataOffset: number) {
    this.view = view;
    this.base = base;
    this.#bytes = bytes;
    this.#at = dataOffset;
  }

  /** The next part of `data`, a view. Throws MalformedRecord when the record is shorter than it says. */
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedRecord();
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  takeText(length: number): string {
    return length === 0 ? '' : this.take(length).toString('utf8');
  }

  /** A path and the directory it is relative to, as one absolute path without `.`, `..` and doubled slashes. */
  takePath(baseLength: number, pathLength: number): string {
    const base = this.takeText(baseLength);
    return joinPath(base, this.takeText(pathLength));
  }
}

/** Thrown inside the decoder only, and counted there. */
export class MalformedRecord extends Error {}

/** Names that are no paths (`pipe:[17]`) stay as they are. */
function joinPath(base: string, name: string): string {
  const joined = name.startsWith('/') || base === '' ? name : name === '' ? base : `${base}/${name}`;
  if (!joined.startsWith('/')) return joined;
  const normal = NEEDS_NORMALISING.test(joined) ? path.posix.normalize(joined) : joined;
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

const NEEDS_NORMALISING = /\/(?:\/|\.\.?(?:\/|$))/;

const MAX_KEYS = 16384;
const keys = new Map<number, { readonly start_ns: bigint; readonly key: EventBase['process'] }>();

/** `pid:start_ns`; the text is remembered, since most records are of few processes. */
export function processKey(pid: number, start_ns: bigint): EventBase['process'] {
  const known = keys.get(pid);
  if (known?.start_ns === start_ns) return known.key;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key: EventBase['process'] = `${pid}:${start_ns}`;
  keys.set(pid, { start_ns, key });
  return key;
}

export function baseOf(header: EventHeader): EventBase {
  const { ktime_ns, pid, tid, start_ns } = header;
  return { ktime_ns, process: processKey(pid, start_ns), pid, tid };
}
