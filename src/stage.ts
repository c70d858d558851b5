/**
 * One step of the pipeline, built by `createX(options, next)`. Every arrow between stages is a synchronous call: the
 * kernel cannot be slowed down, so nothing in the middle may wait.
 */
export interface Stage<In> {
  /** Takes one item. Never throws for bad data: bad data is a value, or a counted drop. */
  push(item: In): void;
  /** Kernel time has reached `now_ns` (CLOCK_MONOTONIC, ns). The only clock a stage may use. */
  tick?(now_ns: bigint): void;
  /** No more items will come: emit what is held back, release what is held. */
  close?(): void | Promise<void>;
}
