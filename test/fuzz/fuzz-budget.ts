import type { Parameters } from 'fast-check';

/** How long `UNDERSIGHT_FUZZ_SECONDS` lets each file look for new failures; undefined: a few of the same cases in each run. */
const seconds = process.env.UNDERSIGHT_FUZZ_SECONDS;

/** For one property: `runs` in the gate; as many as go into its share of the time when there is such. */
export function fuzzBudget(runs: number, share: number): Parameters<unknown> {
  if (seconds === undefined) return { numRuns: runs };
  return {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: Number(seconds) * 1000 * share,
    seed: Date.now() % 2 ** 31,
  };
}
