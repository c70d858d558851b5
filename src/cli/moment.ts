import { parseDuration } from '../model/quantity.ts';
import { UsageError } from './report-error.ts';

/** `2h` (so long ago), or a date as ISO 8601 has it, in ns since the Unix epoch. `option` is named in the error. */
export function parseMoment(text: string, option: string, now_unix_ns: bigint): bigint {
  const ago_ns = parseDuration(text);
  if (ago_ns !== undefined) return ago_ns > now_unix_ns ? 0n : now_unix_ns - ago_ns;
  const unix_ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(unix_ms) || unix_ms < 0) {
    throw new UsageError(
      `${option} ${JSON.stringify(text)} is no time`,
      'Use so long ago (30m, 2h, 7d), or 2026-01-31, or 2026-01-31T12:00:00Z.',
    );
  }
  return BigInt(unix_ms) * 1_000_000n;
}

export function nowUnixNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** `2026-01-31 12:00:00` in local time. */
export function formatMoment(unix_ns: bigint): string {
  const date = new Date(Number(unix_ns / 1_000_000n));
  // Swedish writes dates as ISO 8601 does.
  return Number.isNaN(date.getTime()) ? '?' : date.toLocaleString('sv-SE');
}
