/** How many later records of a CPU may come before a missing one counts as lost: programs are preempted between the two steps. */
const PATIENCE_RECORDS = 64;
const MAX_MISSING = 1024;

interface Cpu {
  next: number;
  /** Missing numbers, each with the time of the record that showed the gap, and the tick in which it did. */
  readonly missing: Map<number, { readonly ktime_ns: bigint; readonly tick: number }>;
}

/** Finds records that never came, by the number that each CPU gives its records. */
export class SequenceCheck {
  readonly #cpus = new Map<number, Cpu>();
  readonly #onLoss: (count: number, ktime_ns: bigint) => void;
  #tick = 0;

  /** `onLoss` is told how many records are missing, and the time of the record that came in their place. */
  constructor(onLoss: (count: number, ktime_ns: bigint) => void) {
    this.#onLoss = onLoss;
  }

  push(cpu: number, sequence: number, ktime_ns: bigint): void {
    const state = this.#cpus.get(cpu);
    if (state === undefined) {
      this.#cpus.set(cpu, { next: sequence + 1, missing: new Map() });
      return;
    }
    if (sequence === state.next) {
      state.next++;
      if (state.missing.size > 0) this.#expire(state, ([missing]) => missing + PATIENCE_RECORDS < sequence);
      return;
    }
    if (sequence < state.next) {
      state.missing.delete(sequence);
      return;
    }
    const gap = sequence - state.next;
    if (gap + state.missing.size > MAX_MISSING) {
      this.#onLoss(gap, ktime_ns);
    } else {
      for (let missing = state.next; missing < sequence; missing++) {
        state.missing.set(missing, { ktime_ns, tick: this.#tick });
      }
    }
    state.next = sequence + 1;
  }

  /** What was missing before the last tick is lost. */
  tick(): void {
    for (const cpu of this.#cpus.values()) this.#expire(cpu, ([, { tick }]) => tick < this.#tick);
    this.#tick++;
  }

  close(): void {
    for (const cpu of this.#cpus.values()) this.#expire(cpu, () => true);
  }

  #expire(cpu: Cpu, isLost: (entry: [number, { ktime_ns: bigint; tick: number }]) => boolean): void {
    let count = 0;
    let noticed_ns = 0n;
    for (const entry of cpu.missing) {
      if (!isLost(entry)) break;
      cpu.missing.delete(entry[0]);
      count++;
      noticed_ns = entry[1].ktime_ns;
    }
    if (count > 0) this.#onLoss(count, noticed_ns);
  }
}
