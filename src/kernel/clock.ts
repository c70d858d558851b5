import { libc } from './libc.ts';

const CLOCK_REALTIME = 0;
const SAMPLES = 16;

/** CLOCK_MONOTONIC in ns, what the kernel's `bpf_ktime_get_ns` gives. */
export function now(): bigint {
  return process.hrtime.bigint();
}

/** Add to a time of `now` for ns since the Unix epoch: of several samples, the one taken in the shortest time. */
export function unixOffset(): bigint {
  const time = Buffer.alloc(16);
  let best = { took_ns: 1n << 62n, offset_ns: 0n };
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = now();
    libc.clock_gettime(CLOCK_REALTIME, time);
    const took_ns = now() - before;
    const unix_ns = time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
    if (took_ns < best.took_ns) best = { took_ns, offset_ns: unix_ns - before - took_ns / 2n };
  }
  return best.offset_ns;
}
