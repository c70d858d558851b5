import type { Event } from '../model/event.ts';

/**
 * Where everything enters the pipeline: the ring's records as they are, what user space looked up, and the passing of time.
 * A recording holds exactly these calls, so a replay runs the same code on the same input.
 */
export interface Intake {
  /** One record of the ring. The bytes are valid during the call only. */
  pushRecord(record: Uint8Array): void;
  /** An event that user space made: facts, snapshots of what ran before, losses. */
  pushFact(event: Event): void;
  /** Kernel time has reached `now_ns`. */
  tick(now_ns: bigint): void;
  close?(): void | Promise<void>;
}
