import type { Stage } from './stage.ts';

/** Gives every item to each of `stages`, in order. `close` waits for all of them, together. */
export function fanOut<In>(stages: readonly Stage<In>[]): Stage<In> {
  return {
    push(item) {
      for (const stage of stages) stage.push(item);
    },
    tick(now_ns) {
      for (const stage of stages) stage.tick?.(now_ns);
    },
    async close() {
      await Promise.all(stages.map((stage) => stage.close?.()));
    },
  };
}
