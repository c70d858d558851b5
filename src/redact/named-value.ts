import { TOKEN_SOURCE } from './redaction-token.ts';
import type { ValueForm } from './secret-value.ts';

/** Where the value behind a name stands in a text. */
export interface NamedValue {
  readonly start: number;
  readonly end: number;
  readonly form: ValueForm;
}

/** Also of Python's `f"..."` and `b'...'`. */
const OPENING_QUOTE = /(?:[fFrRbBuU]{1,2}(?=["']))?(\\{0,7})(["'`])/y;
/** After an unquoted name a quote can also be the end of a string: `'Password: ')`. */
const AFTER_STRING = /^(?:[),;\]\s%+}.]|$)/;
/** One piece of a value without quotes; commas and brackets belong to it when something follows them. */
const UNQUOTED = new RegExp(
  String.raw`(?:${TOKEN_SOURCE}|[^\s"'${'`'}&;|<>,(){}[\]\\]|,(?![A-Za-z_]{1,32}[=:])(?=[^\s"'${'`'}&;|<>,(){}[\]\\])|[(){}[\]](?=[^\s"'${'`'}&;|<>,(){}[\]\\=:.])|\\(?![nrt"'\\])){1,512}`,
  'y',
);
const LINE_END = /[\r\n]|\\[rn]/g;

/**
 * The end of a string that was opened by a quote behind `backslashes`: a quote of the same kind that belongs to
 * the same level of escaping, or to an outer one. Without one on the line, the end of the line.
 */
function closingQuote(text: string, from: number, quote: string, backslashes: number): number {
  let at = text.indexOf(quote, from);
  while (at !== -1) {
    let run = 0;
    while (at - run > from && text.charAt(at - run - 1) === '\\') run++;
    if (run < backslashes || (run - backslashes) % (2 * (backslashes + 1)) === 0) {
      const line = text.slice(from, at).indexOf('\n');
      return line === -1 ? at - Math.min(run, backslashes) : from + line;
    }
    at = text.indexOf(quote, at + 1);
  }
  const line = text.indexOf('\n', from);
  return line === -1 ? text.length : line;
}

function endOfPiece(text: string, at: number): number {
  UNQUOTED.lastIndex = at;
  return UNQUOTED.test(text) ? UNQUOTED.lastIndex : at;
}

/**
 * The value that begins at `at`: a quoted string, or a word, of which very long ones end after their first piece.
 * `form` is what a word is called; `nameQuoted`: the name before it is a quoted string itself.
 */
export function readValue(text: string, at: number, form: ValueForm, nameQuoted: boolean): NamedValue | undefined {
  OPENING_QUOTE.lastIndex = at;
  const opening = OPENING_QUOTE.exec(text);
  if (opening !== null) {
    const start = OPENING_QUOTE.lastIndex;
    if (!nameQuoted && AFTER_STRING.test(text.charAt(start))) return undefined;
    const end = closingQuote(text, start, opening[2] ?? '"', (opening[1] ?? '').length);
    return { start, end, form: 'quoted' };
  }
  const end = endOfPiece(text, at);
  return end === at ? undefined : { start: at, end, form };
}

/** The value of a header whose name begins at `nameStart`: to the end of its line, or of the string it stands in. */
export function readHeaderValue(text: string, at: number, nameStart: number): NamedValue {
  const quote = text.charAt(nameStart - 1);
  if (quote === '"' || quote === "'" || quote === '`') {
    let backslashes = 0;
    while (backslashes < 7 && text.charAt(nameStart - 2 - backslashes) === '\\') backslashes++;
    return { start: at, end: closingQuote(text, at, quote, backslashes), form: 'loose' };
  }
  LINE_END.lastIndex = at;
  return { start: at, end: LINE_END.exec(text)?.index ?? text.length, form: 'loose' };
}

/** Where a value really ends of which `readValue` gave the first piece. */
export function wholeEnd(text: string, value: NamedValue): number {
  if (value.form === 'quoted') return value.end;
  let end = value.end;
  for (let next = endOfPiece(text, end); next !== end; next = endOfPiece(text, end)) end = next;
  return end;
}
