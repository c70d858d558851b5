import { type CountRedaction, redactionToken } from './redaction-token.ts';
import { hasColon } from './secret-value.ts';

/** RFC 6750 section 2.1 (b64token) and RFC 7617 section 2, wherever they stand. */
const BEARER = /\b(bearer[ \t]{1,4})([A-Za-z0-9._~+/=-]{4,})/gi;
const BASIC = /\b(basic[ \t]{1,4})([A-Za-z0-9+/_-]{8,}={0,2})/gi;

/** `bearer token`, `Bearer YOUR_API_KEY`, `Bearer ...`: no credential. */
const WORD = /^(?:[a-z.,/-]{1,24}|[A-Z][a-z]{1,24}|[A-Z_]*(?:TOKEN|KEY|SECRET|JWT)[A-Z_]*|\.+)[.,]?$/;

/** Takes `Bearer x` and `Basic x` out of `text`. */
export function redactHttpCredentials(text: string, count: CountRedaction): string {
  const out = text.replace(BEARER, (match, scheme: string, value: string) => {
    if (WORD.test(value)) return match;
    count('authorization');
    return scheme + redactionToken('authorization');
  });
  return out.replace(BASIC, (match, scheme: string, value: string) => {
    if (/^[A-Z]?[a-z]+$/.test(value) || !hasColon(value)) return match;
    count('authorization');
    return scheme + redactionToken('authorization');
  });
}
