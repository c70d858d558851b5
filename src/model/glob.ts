import { z } from 'zod';

/** A glob of absolute paths: one that begins otherwise would match nothing. */
export const pathGlobSchema = z
  .string()
  .max(1000)
  .regex(/^(\/|\*\*(\/|$))/, 'expected a glob of absolute paths, which begins with / or **/');

/**
 * Whether a path matches one of `globs`: `**` stands for any number of folders, `*` and `?` stay in one, and `{a,b}` is
 * either; all else, brackets too, stands for itself. Hidden names are like any other, and `x/**` is `x` itself as well.
 * Takes a time that grows with the product of the lengths, no more.
 */
export function createGlobMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.flatMap(expandBraces).map((glob) => glob.split('/'));
  return (path) => {
    const names = path.split('/');
    return patterns.some((pattern) => matches(names, pattern, '**', matchesName));
  };
}

function expandBraces(glob: string): readonly string[] {
  const [, before = '', choices, after = ''] = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(glob) ?? [];
  if (choices === undefined) return [glob];
  return choices.split(',').flatMap((choice) => expandBraces(before + choice + after));
}

function matchesName(name: string, pattern: string): boolean {
  if (!/[*?]/.test(pattern)) return name === pattern;
  return matches(name, pattern, '*', (one, wanted) => wanted === '?' || one === wanted);
}

/** Matches a sequence of which `wild` in the pattern stands for any part: on a mismatch, the last one takes one more. */
function matches(
  sequence: ArrayLike<string>,
  pattern: ArrayLike<string>,
  wild: string,
  isSame: (one: string, wanted: string) => boolean,
): boolean {
  let at = 0;
  let wanted = 0;
  let lastWild = -1;
  let takenUntil = 0;
  while (at < sequence.length) {
    const next = pattern[wanted];
    if (next === wild) {
      lastWild = wanted++;
      takenUntil = at;
    } else if (next !== undefined && isSame(sequence[at] ?? '', next)) {
      at++;
      wanted++;
    } else if (lastWild >= 0) {
      wanted = lastWild + 1;
      at = ++takenUntil;
    } else return false;
  }
  while (pattern[wanted] === wild) wanted++;
  return wanted === pattern.length;
}
