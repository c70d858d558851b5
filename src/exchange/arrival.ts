/** What is known of the piece a byte came in. */
export interface Arrival {
  readonly ktime_ns: bigint;
  /** When the library call that carried it began. */
  readonly call_start_ns: bigint;
  readonly tid: number;
}
