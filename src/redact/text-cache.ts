/** What redaction made of a text, and which kinds it took out. */
export interface RedactedText {
  readonly text: string;
  readonly kinds: readonly string[];
}

/** Remembers results by text, the least recently used forgotten first, bounded by the characters it holds. */
export interface TextCache {
  get(text: string): RedactedText | undefined;
  set(text: string, redacted: RedactedText): void;
}

export function createTextCache(limitChars: number): TextCache {
  const entries = new Map<string, RedactedText>();
  let chars = 0;
  const size = (text: string, { text: redacted }: RedactedText) =>
    text.length + (redacted === text ? 0 : redacted.length) + 64;
  return {
    get(text) {
      const found = entries.get(text);
      if (found === undefined) return undefined;
      entries.delete(text);
      entries.set(text, found);
      return found;
    },
    set(text, redacted) {
      const added = size(text, redacted);
      if (added > limitChars || entries.has(text)) return;
      entries.set(text, redacted);
      chars += added;
      for (const [oldest, result] of entries) {
        if (chars <= limitChars) break;
        entries.delete(oldest);
        chars -= size(oldest, result);
      }
    },
  };
}
