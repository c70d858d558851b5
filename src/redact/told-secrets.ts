import { type CountRedaction, redactionToken } from './redaction-token.ts';
import { isSecretValue } from './secret-value.ts';

/** How servers repeat what they refuse (`Incorrect API key provided: x.`), and people say what a key is (`API key: x`). */
const TOLD =
  /((?:\bapi key|\b(?:key|token|password|secret|credentials?) (?:provided|supplied)): {0,2}["'`]?)([^\s"'`<>[\]]{7,4095}[^\s"'`<>.,;:!?()[\]{}])/gi;
/** One of these is in every match, or nearly. */
const HINTS = ['API key: ', 'api key: ', 'API Key: ', 'provided: ', 'supplied: '];

/** Takes secrets out of `text` that a sentence names. */
export function redactToldSecrets(text: string, count: CountRedaction): string {
  if (!HINTS.some((hint) => text.includes(hint))) return text;
  return text.replace(TOLD, (match, before: string, value: string) => {
    const is_telling = /\d/.test(value) || value.length >= 20;
    if (!is_telling || !isSecretValue('key', value, 'quoted', true)) return match;
    count('credential');
    return before + redactionToken('credential');
  });
}
