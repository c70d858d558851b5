import { readHeaderValue, readValue, wholeEnd } from './named-value.ts';
import { type CountRedaction, isRedactionToken, redactionToken } from './redaction-token.ts';
import { isSecretName } from './secret-name.ts';
import { callLength, isSecretValue } from './secret-value.ts';

/**
 * Secrets that only their names betray: `password=x`, `"api_key": "x"`, `--token x`, `'--token' 'x'`, `X-Api-Key: x`, also inside JSON
 * that is itself a JSON string. The pattern finds the end of a name and what parts it from its value; the name is then
 * read backwards and the value forwards, so every character is looked at a bounded number of times.
 */
const NAME_END =
  /((?:password|passwd|passphrase|pass|pwd|secret|token|key|credentials?|authorization|cookie|auth)(?:[_-]?(?:base64|b64|base|data|pem|value))?\d{0,4})(?:(\\{0,7}["'`])?\]?[ \t]{0,8}(=>|:=|[:=])[ \t]{0,8}|[ \t]{1,8}|(\\{0,7}["'`])(?:,[ \t]{0,8}|[ \t]{1,8}))/gi;

const SCHEME = /^(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey|AWS4-HMAC-SHA256)[ \t]+/i;
const NAME_CHARACTER = /[A-Za-z0-9_.-]/;
const NAME_LIMIT = 64;

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
    if (/[\n"'`]/.test(character)) return true;
    if (/[nr]/.test(character) && text.charAt(at - 1) === '\\') return true;
    if (!/[ \t\-{,*>#+]/.test(character)) return false;
  }
  return start < 32;
}

/** `name: word` in prose, in a type declaration or an assignment, rather than in a settings file or a header. */
function isProse(text: string, start: number, value: string, end: number): boolean {
  const after = text.slice(end, end + 3);
  if (/^[A-Za-z]+$/.test(value) && /^ [A-Za-z]/.test(after)) return true;
  if (/^[A-Z][A-Za-z]*$/.test(value) && /^ ?[;|),=<[]/.test(after)) return true;
  if (/^[A-Za-z_$][A-Za-z_.$]*$/.test(value) && /^(?:[;()[\]]| [=+?|&] ?)/.test(after)) return true;
  const strong = (value.length >= 6 && /\d/.test(value)) || value.length >= 20;
  return !strong && !beginsLine(text, start);
}

function kindOf(name: string): string {
  if (/cookie$/i.test(name)) return 'cookie';
  return /authorization$/i.test(name) ? 'authorization' : 'credential';
}

const schemeLength = (text: string, at: number) => SCHEME.exec(text.slice(at, at + 40))?.[0].length ?? 0;

/** What follows a name in a text. */
interface Occurrence {
  readonly name: string;
  readonly start: number;
  readonly isFlag: boolean;
  /** `=`, `:`, ...; undefined: only blanks, as behind a flag. */
  readonly operator: string | undefined;
  readonly nameQuoted: boolean;
  readonly tight: boolean;
  readonly valueAt: number;
}

/** The secret of one occurrence, or from where on to look for the next. */
function findSecret(text: string, found: Occurrence): { from: number; to: number } | { next: number } {
  const { name, start, isFlag, operator, nameQuoted, tight, valueAt } = found;
  const kind = kindOf(name);
  const isHeader = operator === ':' && kind !== 'credential';
  const scheme = kind === 'authorization' ? schemeLength(text, valueAt) : 0;
  const at = valueAt + scheme;
  const wholeLine =
    isHeader && !nameQuoted && (kind === 'cookie' || /^(?:digest|aws4)/i.test(text.slice(valueAt, valueAt + 6)));
  const form = operator === undefined || tight ? 'tight' : 'loose';
  const value = wholeLine ? readHeaderValue(text, at, start) : readValue(text, at, form, nameQuoted);
  if (value === undefined) return { next: valueAt };

  const from = value.start + (kind === 'authorization' ? schemeLength(text, value.start) : 0);
  const content = text.slice(from, value.end);
  // A flag in quotes is an argument, and so is what follows it, unless it is spoken about.
  if (operator === undefined && nameQuoted && value.form !== 'quoted') return { next: valueAt };
  if (operator === undefined && (nameQuoted || value.form !== 'quoted') && content.startsWith('-')) {
    return { next: valueAt };
  }
  const shell = isFlag || (tight && /^[A-Z0-9_]+$/.test(name)) || scheme > 0 || wholeLine;
  const certain = nameQuoted || shell || value.form !== 'loose';
  const bracket = /[([]/.test(text.charAt(value.end)) ? text.charAt(value.end) : '';
  const secret =
    isSecretValue(name, shell ? content : content + bracket, value.form, shell) &&
    (certain || !isProse(text, start, content, value.end));
  if (secret) return { from, to: wholeLine ? value.end : wholeEnd(text, value) };
  return { next: certain ? from : Math.min(from + callLength(content + bracket), value.end) };
}

/** Takes the values of named secrets out of `text`. */
export function redactNamedSecrets(text: string, count: CountRedaction): string {
  let out = '';
  let done = 0;
  NAME_END.lastIndex = 0;
  for (let match = NAME_END.exec(text); match !== null; match = NAME_END.exec(text)) {
    const valueAt = NAME_END.lastIndex;
    const [, word = '', quote, operator, flagQuote] = match;
    const nameEnd = match.index + word.length;
    const start = nameStart(text, nameEnd);
    const rawName = text.slice(start, nameEnd);
    const isFlag = rawName.startsWith('-');
    const name = rawName.replace(/^-+/, '');
    if ((operator === undefined && !isFlag) || !isSecretName(name)) continue;
    // `token == password` is a comparison; the user of a URL is a matter of the URL's own pattern.
    if ((operator !== undefined && /[=>]/.test(text.charAt(valueAt))) || text.startsWith('://', start - 3)) continue;
    const nameQuoted = (quote ?? flagQuote) !== undefined;
    const tight = operator === '=' && valueAt === nameEnd + 1;
    const found = findSecret(text, { name, start, isFlag, operator, nameQuoted, tight, valueAt });
    if ('next' in found) {
      NAME_END.lastIndex = Math.max(found.next, valueAt);
      continue;
    }
    const kind = kindOf(name);
    count(kind);
    out += text.slice(done, found.from) + redactionToken(kind);
    done = found.to;
    NAME_END.lastIndex = Math.max(done, valueAt);
  }
  return done === 0 ? text : out + text.slice(done);
}

/** What stands for a value of which its name alone says that it is secret; a token of a known kind stays. */
export function redactNamedValue(name: string, redacted: string, count: CountRedaction): string {
  if (isRedactionToken(redacted) || !isSecretValue(name, redacted, 'quoted', true)) return redacted;
  const kind = kindOf(name);
  const scheme = kind === 'authorization' ? redacted.slice(0, schemeLength(redacted, 0)) : '';
  if (isRedactionToken(redacted.slice(scheme.length))) return redacted;
  count(kind);
  return scheme + redactionToken(kind);
}
