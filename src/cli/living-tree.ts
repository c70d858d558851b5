import fs from 'node:fs';
import { printable } from '../export/console/printable-text.ts';
import type { Event } from '../model/event.ts';

/** The processes that were started under watch and have not ended. */
export interface LivingTree {
  /** To be told every event, in the order in which they come. */
  see(event: Event): void;
  /** Whether any runs now. */
  isAlive(): boolean;
  /** How many run now, with the names of some; undefined when there are none. */
  describe(): string | undefined;
}

const MAX_PROCESSES = 10_000;
const MAX_NAMES = 5;

export function createLivingTree(): LivingTree {
  /** Names by pid. */
  const names = new Map<number, string>();

  /** Without those whose end was not told. */
  function living(): readonly [number, string][] {
    for (const pid of names.keys()) if (!fs.existsSync(`/proc/${pid}`)) names.delete(pid);
    return [...names];
  }

  return {
    see(event) {
      switch (event.kind) {
        case 'process_fork':
          if (names.size < MAX_PROCESSES) names.set(event.pid, event.comm);
          return;
        case 'process_exec':
          if (names.has(event.pid)) names.set(event.pid, event.comm);
          return;
        case 'process_exit':
          names.delete(event.pid);
          return;
        default:
      }
    },
    isAlive: () => living().length > 0,
    describe() {
      const all = living();
      if (all.length === 0) return undefined;
      const shown = all.slice(0, MAX_NAMES).map(([pid, name]) => `${printable(name)} ${pid}`);
      if (all.length > MAX_NAMES) shown.push('...');
      return `${all.length === 1 ? '1 process' : `${all.length} processes`} (${shown.join(', ')})`;
    },
  };
}
