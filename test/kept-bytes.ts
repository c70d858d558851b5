import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collectGarbage: (() => void) | undefined;

/** What the program holds, garbage not counted. */
export function usedBytes(): number {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  // Buffers go with the second.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** By how much what `run` gives back, and all it left behind, made the program grow. */
export function keptBytes<Kept>(run: () => Kept): { readonly bytes: number; readonly kept: Kept } {
  const before = usedBytes();
  const kept = run();
  return { bytes: usedBytes() - before, kept };
}
