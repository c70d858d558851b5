import { type CountRedaction, redactionToken } from './redaction-token.ts';
import { replaceRuns } from './replace-runs.ts';
import { hasColon } from './secret-value.ts';

/** RFC 6750 section 2.1 (b64token) and RFC 7617 section 2, wherever they stand. */
const BEARER = /\b(bearer[ \t]{1,4})([A-Za-z0-9._~+/=-]{4,4096})/gi;
const BASIC = /\b(basic[ \t]{1,4})([A-Za-z0-9+/_-]{8,4096}={0,2})/gi;

/** `bearer token`, `Bearer YOUR_API_KEY`, `Bearer ...`: no credential. */
const WORD = /^(?:[a-z.,/-]{1,24}|[A-Z][a-z]{1,24}|[A-Z_]*(?:TOKEN|KEY|SECRET|JWT)[A-Z_]*|\.+)[.,]?$/;

/** Takes `Bearer x` and `Basic x` out of `text`. */
export function redactHttpCredentials(text: string, count: CountRedaction): string {
  const redact = (scheme: string) => {
    count('authorization');
    return scheme + redactionToken('authorization');
  };
  const out = replaceRuns(text, BEARER, ([, scheme = '', value = '']) =>
    WORD.test(value) ? undefined : redact(scheme),
  );
  return replaceRuns(out, BASIC, ([, scheme = '', value = '']) =>
    /^[A-Z]?[a-z]+$/.test(value) || !hasColon(value) ? undefined : redact(scheme),
  );
}
