import { z } from 'zod';

/** Schemas of the quantities a configuration may hold, for the option schemas that live beside the stages. */

const NS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
};
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const DURATION_HINT = 'a duration such as 500ms, 30s, 1h30m or 7d';
const SIZE_HINT = 'a size such as 4096, 512KiB, 64MiB or 2GiB';

/** `1h30m` in ns; undefined when it is not a duration. */
export function parseDuration(text: string): bigint | undefined {
  if (text === '0') return 0n;
  if (text.length > 64 || !/^(\d+(\.\d+)?(ns|us|ms|s|m|h|d))+$/.test(text)) return undefined;
  let total_ns = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)/g)) {
    total_ns += Number(amount) * (NS_PER_UNIT[unit ?? ''] ?? 0);
  }
  return total_ns < Number.MAX_SAFE_INTEGER * 1000 ? BigInt(Math.round(total_ns)) : undefined;
}

/** The shortest text that `parseDuration` reads back as the same number of ns. */
export function formatDuration(duration_ns: bigint): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms', 'us']) {
    const unit_ns = BigInt(NS_PER_UNIT[unit] ?? 1);
    if (duration_ns !== 0n && duration_ns % unit_ns === 0n) return `${duration_ns / unit_ns}${unit}`;
  }
  return duration_ns === 0n ? '0s' : `${duration_ns}ns`;
}

/** `64MiB` in bytes; undefined when it is not a size. */
function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text);
  const unit_bytes = BYTES_PER_UNIT[match?.[2] ?? ''];
  if (match === null || unit_bytes === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit_bytes);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A duration as the user writes it (`30s`); its value is ns as a bigint. */
export const durationSchema = z
  .union([z.string(), z.number()], { error: `expected ${DURATION_HINT}` })
  .transform((input, context) => {
    const duration_ns = parseDuration(String(input));
    if (duration_ns !== undefined) return duration_ns;
    context.addIssue({ code: 'custom', message: `expected ${DURATION_HINT}` });
    return z.NEVER;
  });

/** A size as the user writes it (`64MiB`, or a number of bytes); its value is bytes. */
export const byteSizeSchema = z
  .union([z.string(), z.number()], { error: `expected ${SIZE_HINT}` })
  .transform((input, context) => {
    const bytes = parseByteSize(String(input));
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: 'custom', message: `expected ${SIZE_HINT}` });
    return z.NEVER;
  });
