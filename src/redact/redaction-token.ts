/** Told once for each secret that was taken out. `kind` is a short fixed word: `jwt`, `credential`, ... */
export type CountRedaction = (kind: string) => void;

/** What stands in a secret's place. Equal places stay equal: nothing of the secret is in it. */
export function redactionToken(kind: string): string {
  return `[REDACTED:${kind}]`;
}

/** Source of a pattern for one token. */
export const TOKEN_SOURCE = String.raw`\[REDACTED:[a-z0-9_]{1,32}\]`;

const WHOLE_TOKEN = new RegExp(`^${TOKEN_SOURCE}$`);

/** The text is one redaction token and nothing else. */
export function isRedactionToken(text: string): boolean {
  return text.length < 64 && WHOLE_TOKEN.test(text);
}
