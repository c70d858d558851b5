import { z } from 'zod';

/** The start of a quantifier without an upper bound, or with a large one. */
const UNBOUNDED = /^(?:[*+]|\{\d+,\}|\{\d*,?\d{3,}\})/;

/** A repeated group that itself repeats something, like `(a+)+`: such patterns can take exponential time. */
function repeatsARepetition(source: string): boolean {
  const groups: boolean[] = [];
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const character = source[i];
    if (character === '\\') i++;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') inClass = true;
    else if (character === '(') groups.push(false);
    else if (character === ')') {
      const repeats = groups.pop() ?? false;
      const repeated = UNBOUNDED.test(source.slice(i + 1, i + 12));
      if (repeats && repeated) return true;
      if ((repeats || repeated) && groups.length > 0) groups[groups.length - 1] = true;
    } else if (UNBOUNDED.test(source.slice(i, i + 11)) && groups.length > 0) groups[groups.length - 1] = true;
  }
  return false;
}

function checkPattern(source: string, context: z.RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  try {
    if (new RegExp(source).test('')) refuse('the pattern matches the empty text');
  } catch (error) {
    refuse(`not a regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (repeatsARepetition(source)) refuse('the pattern repeats a group that repeats something, which can take forever');
}

/** One more kind of secret: what `pattern` (a JavaScript regular expression) matches becomes `[REDACTED:name]`. */
export const secretPatternSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9_]{1,32}$/, 'use 1 to 32 of a-z, 0-9 and _'),
  pattern: z.string().min(1).max(1000).superRefine(checkPattern),
});

export const redactOptionsSchema = z.strictObject({
  /** Kinds of secrets beside the built-in ones. */
  patterns: z.array(secretPatternSchema).max(100).default([]),
  /** Memory, in characters, for texts that come again and again (every LLM request repeats its conversation). */
  cache_chars: z
    .number()
    .int()
    .min(0)
    .max(1 << 30)
    .default(1 << 24),
});

export type RedactOptions = z.infer<typeof redactOptionsSchema>;
export type SecretPattern = z.infer<typeof secretPatternSchema>;
