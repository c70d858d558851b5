import { type CountRedaction, redactionToken, TOKEN_SOURCE } from './redaction-token.ts';

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/**
 * What a key whose end is missing is made of: words of base64, header lines, line breaks (also escaped ones, but not the
 * first letter of a token that follows a backslash).
 */
const REMAINDER = new RegExp(
  String.raw`(?:\s|\\+(?!npm_|nvapi-)[nrt]|(?:[A-Za-z0-9+/=]{1,4096}|${TOKEN_SOURCE}|[A-Za-z-]{1,40}: [^\n\\"]{0,200})(?=[\s\\"'${'`'},]|$)){0,8192}`,
  'y',
);
const KEY_LIMIT_CHARS = 65536;

/**
 * Takes private keys in PEM form out of `text` (RFC 7468; OpenSSH, PGP), whole or cut, with real or escaped newlines.
 * A marker that stands quoted in code, with no key behind it, stays.
 */
export function redactPrivateKeys(text: string, count: CountRedaction): string {
  if (!text.includes('PRIVATE KEY')) return text;
  let out = '';
  let done = 0;
  BEGIN.lastIndex = 0;
  let endsAt = -1;
  for (let begin = BEGIN.exec(text); begin !== null; begin = BEGIN.exec(text)) {
    const body = BEGIN.lastIndex;
    while (endsAt !== Number.POSITIVE_INFINITY && endsAt < body) {
      END.lastIndex = Math.max(body, endsAt);
      endsAt = END.exec(text) === null ? Number.POSITIVE_INFINITY : END.lastIndex;
    }
    if (
      /["'`]/.test(text.charAt(body)) &&
      !/[A-Za-z0-9+/=]{40}/.test(text.slice(body, Math.min(endsAt, body + 2048)))
    ) {
      continue;
    }
    let end = endsAt;
    if (end - body > KEY_LIMIT_CHARS) {
      REMAINDER.lastIndex = body;
      REMAINDER.test(text);
      end = REMAINDER.lastIndex;
    }
    count('private_key');
    out += text.slice(done, begin.index) + redactionToken('private_key');
    done = end;
    BEGIN.lastIndex = end;
  }
  return done === 0 ? text : out + text.slice(done);
}
