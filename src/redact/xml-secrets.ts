import { type CountRedaction, redactionToken } from './redaction-token.ts';
import { isSecretName } from './secret-name.ts';
import { isSecretValue } from './secret-value.ts';

/** An element that holds only text. */
const ELEMENT = /(<([A-Za-z_][\w:.-]{2,63})(?:\s[^<>]{0,256})?>(?:<!\[CDATA\[)?)([^<>]{1,4096})(?=(?:\]\]>)?<\\?\/\2)/g;

/** Takes secrets out of XML: `<password>x</password>`. */
export function redactXmlSecrets(text: string, count: CountRedaction): string {
  if (!text.includes('</') && !text.includes('<\\/')) return text;
  return text.replace(ELEMENT, (match, opening: string, name: string, content: string) => {
    if (!isSecretName(name) || !isSecretValue(name, content.trim(), 'quoted', true)) return match;
    count('credential');
    return opening + redactionToken('credential');
  });
}
