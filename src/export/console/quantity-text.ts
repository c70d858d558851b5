/** Quantities for people: three digits that matter, and a unit. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const NS_PER_US = 1_000;
const NS_PER_MS = 1_000_000;
const NS_PER_S = 1_000_000_000;
const S_PER_MINUTE = 60;
const S_PER_HOUR = 3600;

/** `870 B`, `1.2 kB`, `64 MB`. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? amount : threeDigits(amount)} ${BYTE_UNITS[unit]}`;
}

/** `870`, `1.2k`, `64k`, `1.5M`. */
export function countText(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_500 ? `${threeDigits(count / 1000)}k` : `${threeDigits(count / 1e6)}M`;
}

/** `$0.00042`, `$0.038`, `$1.24`, `$120.50`. */
export function costText(usd: number): string {
  if (usd === 0 || usd >= 0.995) return `$${usd.toFixed(usd === 0 ? 0 : 2)}`;
  return usd < 0.000_000_5
    ? '<$0.000001'
    : `$${Number(usd.toPrecision(2))
        .toFixed(6)
        .replace(/(\.\d\d\d*?)0*$/, '$1')}`;
}

/** `42µs`, `1.2ms`, `870ms`, `2.41s`, `3m 05s`, `2h 10m`. */
export function durationText(duration_ns: bigint): string {
  const ns = Number(duration_ns);
  if (ns < 999_500) return `${threeDigits(ns / NS_PER_US)}µs`;
  if (ns < 999.5 * NS_PER_MS) return `${threeDigits(ns / NS_PER_MS)}ms`;
  const s = ns / NS_PER_S;
  if (s < S_PER_MINUTE) return `${s.toFixed(2)}s`;
  const whole_s = Math.floor(s);
  if (s < S_PER_HOUR) return `${Math.floor(whole_s / S_PER_MINUTE)}m ${twoDigits(whole_s % S_PER_MINUTE)}s`;
  return `${Math.floor(whole_s / S_PER_HOUR)}h ${twoDigits(Math.floor((whole_s % S_PER_HOUR) / S_PER_MINUTE))}m`;
}

function threeDigits(amount: number): string {
  return amount < 9.95 ? amount.toFixed(1).replace(/\.0$/, '') : amount.toFixed(0);
}

function twoDigits(amount: number): string {
  return String(amount).padStart(2, '0');
}
