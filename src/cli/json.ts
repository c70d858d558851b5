/** Indented JSON with a newline; a bigint becomes a text, for it may not fit a number. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item), 2)}\n`;
}
