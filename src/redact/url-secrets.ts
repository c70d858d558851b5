import { type CountRedaction, isRedactionToken, redactionToken } from './redaction-token.ts';
import { replaceRuns } from './replace-runs.ts';

/**
 * RFC 3986 section 3.2.1, `user:password@`; passwords that hold an unescaped `@` are taken whole. A URL that was taken for
 * a path has lost one of its slashes.
 */
const USERINFO =
  /(:\/\/|(?<=[a-z][a-z0-9+.-]):\/)([^\s/?#"'`<>@:[\]]{0,256}):((?:\[REDACTED:[a-z0-9_]{1,32}\]|[^\s/?#"'`<>[\]]){1,512})@/gi;
const USER_ONLY = /(:\/\/|(?<=[a-z][a-z0-9+.-]):\/)([^\s/?#"'`<>@:[\]]{20,512})@/gi;

/** Query parameters that are secrets only in a query; `token=` and its like are found by their names anyway. */
const QUERY =
  /([?&](?:key|sig|signature|code|auth|jwt|sid|session|x-(?:amz|goog)-(?:signature|credential|security-token))=)([^&\s#"'`<>\\[\]]{8,4096})/gi;

const REFERENCE = /^(?:\$\{?\w{1,64}\}?|\{\w{1,64}\}|<\w{1,64}>|\*+)$/;

/** Takes passwords in URLs (`https://user:password@host`) and secret query parameters out of `text`. */
export function redactUrlSecrets(text: string, count: CountRedaction): string {
  let out = text;
  if (out.includes(':/') && out.includes('@')) {
    out = out.replace(USERINFO, (match, slashes: string, user: string, password: string) => {
      if (isRedactionToken(password) || REFERENCE.test(password)) return match;
      count('url_password');
      return `${slashes}${user}:${redactionToken('url_password')}@`;
    });
    out = out.replace(USER_ONLY, (match, slashes: string, user: string) => {
      if (!/\d/.test(user)) return match;
      count('url_password');
      return `${slashes}${redactionToken('url_password')}@`;
    });
  }
  if (!out.includes('=')) return out;
  return replaceRuns(out, QUERY, ([, name = '']) => {
    count('url_parameter');
    return name + redactionToken('url_parameter');
  });
}
