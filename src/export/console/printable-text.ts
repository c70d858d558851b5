/** Text of watched processes, made harmless for a terminal, and measured in its columns. */

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Controls, invisible formats (direction, joiners), line separators, private use, and what is no character at all. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}]/gu;
const COMBINING = /^[\p{Mn}\p{Me}]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;
/** More marks on one letter than any writing needs would spill into other lines. */
const MARKS_PER_LETTER = 3;

/** Control characters and escape sequences are shown, not sent. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (SHORT_ESCAPES[character] !== undefined) return SHORT_ESCAPES[character];
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
  });
}

/** Columns that a printable text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The text, or its beginning and an ellipsis, in at most so many columns. */
export function fit(text: string, max_columns: number): string {
  let width = 0;
  let kept = '';
  let kept_marks = 0;
  let before_ellipsis = '';
  for (const character of text) {
    const columns = characterWidth(character);
    kept_marks = columns === 0 ? kept_marks + 1 : 0;
    if (kept_marks > MARKS_PER_LETTER) continue;
    if (width + columns > max_columns) return max_columns > 0 ? `${before_ellipsis}…` : '';
    width += columns;
    kept += character;
    if (width < max_columns) before_ellipsis = kept;
  }
  return kept;
}

function characterWidth(character: string): number {
  if (character < '\u0300') return 1;
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
