export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The median with the range that half of the values lie in. */
export function describe(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const quarter = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return `${Math.round(median(values))} (${quarter(0.25)}-${quarter(0.75)})`;
}
