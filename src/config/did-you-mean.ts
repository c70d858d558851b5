/** The one of `known` that `word` is most likely a slip of; undefined when none is near. */
function didYouMean(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let best_distance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase().slice(0, 64), candidate.toLowerCase());
    if (distance < best_distance && distance < candidate.length) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

/** `; did you mean x? Allowed: x, y` */
export function suggest(word: string, known: readonly string[]): string {
  const near = didYouMean(word, known);
  const allowed = known.length > 0 ? `allowed: ${known.join(', ')}` : 'nothing is allowed here';
  return near === undefined ? `; ${allowed}` : `; did you mean ${near}? (${allowed})`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before_last: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before_last[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before_last = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
