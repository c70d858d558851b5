import { type CountRedaction, isRedactionToken, redactionToken, TOKEN_SOURCE } from './redaction-token.ts';
import { isSecretName } from './secret-name.ts';
import { callLength, isSecretValue, type ValueForm } from './secret-value.ts';

/**
 * Secrets that only their names betray: `password=x`, `"api_key": "x"`, `--token x`, `X-Api-Key: x`, also inside JSON
 * that is itself a JSON string. The pattern finds the end of a name and what parts it from its value; the name is then
 * read backwards and the value forwards, so every character is looked at a bounded number of times.
 */
const NAME_END =
  /(?:password|passwd|passphrase|pass|pwd|pat|secret|token|key|credentials?|authorization|cookie|auth)\d{0,4}(?:(\\{0,7}["'`])?\]?[ \t]{0,8}(=>|:=|[:=])[ \t]{0,8}|[ \t]{1,8})/gi;

/** Also of Python's `f"..."` and `b'...'`. */
const OPENING_QUOTE = /(?:[fFrRbBuU]{1,2}(?=["']))?(\\{0,7})(["'`])/y;
const UNQUOTED = new RegExp(
  String.raw`(?:${TOKEN_SOURCE}|[^\s"'${'`'}&;|<>,(){}[\]\\]|,(?![A-Za-z_]{1,32}[=:])(?=[^\s"'${'`'}&;|<>,(){}[\]\\])|[(){}[\]](?=[^\s"'${'`'}&;|<>,(){}[\]\\=:.])|\\(?![nrt"'\\])){1,512}`,
  'y',
);
const REST_OF_LINE = /[^\r\n"'`\\]{1,1024}/y;
const NAME_CHARACTER = /[A-Za-z0-9_.-]/;
const NAME_LIMIT = 64;

interface Value {
  readonly start: number;
  readonly end: number;
  readonly form: ValueForm;
}

/** Where the name that ends at `end` begins. */
function nameStart(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start < NAME_LIMIT && NAME_CHARACTER.test(text.charAt(start - 1))) start--;
  // `\n` of an escaped line break is no part of the name.
  if (text.charAt(start - 1) === '\\' && /[nrt]/.test(text.charAt(start))) start++;
  return start;
}

/** The name is the first thing on its line, or in a quoted string. */
function beginsLine(text: string, start: number): boolean {
  for (let at = start - 1; at >= 0 && start - at < 32; at--) {
    const character = text.charAt(at);
    if (character === '\n' || character === '"' || character === "'" || character === '`') return true;
    if (/[nr]/.test(character) && text.charAt(at - 1) === '\\') return true;
    if (!/[ \t\-{,*>#+]/.test(character)) return false;
  }
  return start < 32;
}

/**
 * The end of a string that was opened by a quote behind `backslashes`: a quote of the same kind that belongs to
 * the same level of escaping, or to an outer one. Without one, the end of the line.
 */
function closingQuote(text: string, from: number, quote: string, backslashes: number): number {
  let at = text.indexOf(quote, from);
  while (at !== -1) {
    let run = 0;
    while (at - run > from && text.charAt(at - run - 1) === '\\') run++;
    if (run < backslashes || (run - backslashes) % (2 * (backslashes + 1)) === 0) {
      return at - Math.min(run, backslashes);
    }
    at = text.indexOf(quote, at + 1);
  }
  const line = text.indexOf('\n', from);
  return line === -1 ? text.length : line;
}

function readValue(text: string, at: number, separator: string, wholeLine: boolean): Value | undefined {
  OPENING_QUOTE.lastIndex = at;
  const opening = OPENING_QUOTE.exec(text);
  if (opening !== null) {
    const start = OPENING_QUOTE.lastIndex;
    const end = closingQuote(text, start, opening[2] ?? '"', (opening[1] ?? '').length);
    return { start, end, form: 'quoted' };
  }
  const pattern = wholeLine ? REST_OF_LINE : UNQUOTED;
  const end = endOfRun(pattern, text, at);
  return end === at ? undefined : { start: at, end, form: separator === '=' ? 'tight' : 'loose' };
}

/** Where a run of `pattern` from `at` on ends; of very long ones, where its first piece ends. */
function endOfRun(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** `name: word` in prose or in a type declaration, rather than in a settings file or a header. */
function isProse(text: string, start: number, value: string, end: number): boolean {
  const after = text.slice(end, end + 3);
  if (/^[A-Za-z]+$/.test(value) && /^ [A-Za-z]/.test(after)) return true;
  if (/^[A-Z][A-Za-z]*$/.test(value) && /^ ?[;|),=<[]/.test(after)) return true;
  const strong = (value.length >= 6 && /\d/.test(value)) || value.length >= 20;
  return !strong && !beginsLine(text, start);
}

/** The whole of a value of which `readValue` found the first piece. */
function wholeEnd(text: string, value: Value, wholeLine: boolean): number {
  let end = value.end;
  if (value.form === 'quoted') return end;
  const pattern = wholeLine ? REST_OF_LINE : UNQUOTED;
  for (let next = endOfRun(pattern, text, end); next !== end; next = endOfRun(pattern, text, end)) end = next;
  return end;
}

const SCHEME = /^(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey|AWS4-HMAC-SHA256)[ \t]+/i;

function kindOf(name: string): string {
  if (/cookie$/i.test(name)) return 'cookie';
  return /authorization$/i.test(name) ? 'authorization' : 'credential';
}

/** Takes the values of named secrets out of `text`. */
export function redactNamedSecrets(text: string, count: CountRedaction): string {
  let out = '';
  let done = 0;
  NAME_END.lastIndex = 0;
  for (let match = NAME_END.exec(text); match !== null; match = NAME_END.exec(text)) {
    const [found, quote, operator] = match;
    const valueAt = NAME_END.lastIndex;
    const nameEnd = match.index + (/^[a-z]+\d*/i.exec(found)?.[0].length ?? 0);
    const start = nameStart(text, nameEnd);
    const rawName = text.slice(start, nameEnd);
    // The user in a URL, whatever it is called: its password is a matter of the URL's own pattern.
    if (text.startsWith('://', start - 3)) continue;
    const isFlag = rawName.startsWith('-');
    const name = rawName.replace(/^-+/, '');
    if ((operator === undefined && !isFlag) || !isSecretName(name)) continue;
    // What comes next is scanned from the value on: `token == password` names no value of `token`.
    if (operator !== undefined && /^[=>]/.test(text.charAt(valueAt))) continue;

    const header = /(?:authorization|cookie)$/i.test(name);
    const tight = operator === '=' && text.charAt(nameEnd) === '=' && valueAt === nameEnd + 1;
    const separator = operator === undefined || tight ? '=' : ':';
    const cookie = /cookie$/i.test(name) && operator === ':';
    const scheme = header && operator === ':' ? SCHEME.exec(text.slice(valueAt, valueAt + 40))?.[0] : undefined;
    const wholeLine = cookie || (scheme !== undefined && /^(?:digest|aws4)/i.test(scheme));
    const value = readValue(text, valueAt + (scheme?.length ?? 0), separator, wholeLine);
    if (value === undefined) continue;
    let { start: from } = value;
    if (header && value.form === 'quoted') from += SCHEME.exec(text.slice(from, from + 40))?.[0].length ?? 0;
    const content = text.slice(from, value.end);
    const bracket = /[([]/.test(text.charAt(value.end)) ? text.charAt(value.end) : '';
    if (operator === undefined && value.form !== 'quoted' && content.startsWith('-')) continue;
    const shell = isFlag || (tight && /^[A-Z0-9_]+$/.test(name)) || scheme !== undefined || cookie;
    const quoted = value.form === 'quoted' || quote !== undefined;
    const plain = !quoted && value.form !== 'tight' && !shell && isProse(text, start, content, value.end);
    const pair = !cookie || quoted || content.includes('=');
    const secret = !plain && pair && isSecretValue(name, content + (shell ? '' : bracket), value.form, shell);
    if (!secret) {
      NAME_END.lastIndex =
        shell || value.form === 'quoted' ? from : Math.min(from + callLength(content + bracket), value.end);
      continue;
    }
    const kind = kindOf(name);
    count(kind);
    const to = wholeEnd(text, value, wholeLine);
    out += text.slice(done, from) + redactionToken(kind);
    done = to;
    NAME_END.lastIndex = Math.max(to, valueAt);
  }
  return done === 0 ? text : out + text.slice(done);
}

/** What stands for a value of which its name alone says that it is secret; a token of a known kind stays. */
export function redactNamedValue(name: string, redacted: string, count: CountRedaction): string {
  if (isRedactionToken(redacted) || !isSecretValue(name, redacted, 'quoted', true)) return redacted;
  const kind = kindOf(name);
  const scheme = kind === 'authorization' ? (SCHEME.exec(redacted)?.[0] ?? '') : '';
  if (isRedactionToken(redacted.slice(scheme.length))) return redacted;
  count(kind);
  return scheme + redactionToken(kind);
}
