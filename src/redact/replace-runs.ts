/** The most that one quantifier of a pattern may take: V8's backtracking stack overflows on runs of some million. */
const RUN_LIMIT_CHARS = 4096;
const REST = /[A-Za-z0-9._~+/=-]{1,4096}/y;

/**
 * Replaces the matches of a global pattern whose quantifiers end at RUN_LIMIT_CHARS; of a match that reached it, the
 * rest of the run goes too. `replacement` gets the match's groups, and gives undefined for what is to stay.
 */
export function replaceRuns(
  text: string,
  pattern: RegExp,
  replacement: (match: RegExpExecArray) => string | undefined,
): string {
  let out = '';
  let done = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const replaced = replacement(match);
    if (replaced === undefined) continue;
    let end = pattern.lastIndex;
    if (match[0].length >= RUN_LIMIT_CHARS) {
      REST.lastIndex = end;
      while (REST.test(text)) end = REST.lastIndex;
    }
    out += text.slice(done, match.index) + replaced;
    done = end;
    pattern.lastIndex = end;
  }
  return done === 0 ? text : out + text.slice(done);
}
