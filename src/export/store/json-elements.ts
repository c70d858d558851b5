const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/**
 * Cuts the text of a JSON array at the commas between its elements: `'[' + elements.join(',') + ']'` is the text again,
 * whatever it holds. undefined for what is no array, is empty, or does not close properly. Works on the text because what
 * `JSON.parse` gives would not be written back as the same text.
 */
export function splitJsonArray(text: string): string[] | undefined {
  if (!text.startsWith('[') || !text.endsWith(']') || text.length < 3) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let start = 1;
  let in_string = false;
  for (let at = 1; at < text.length - 1; at++) {
    const code = text.charCodeAt(at);
    if (in_string) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) in_string = false;
    } else if (code === QUOTE) in_string = true;
    else if (code === COMMA && depth === 0) {
      elements.push(text.slice(start, at));
      start = at + 1;
    } else if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth--;
    if (depth < 0) return undefined;
  }
  if (in_string || depth !== 0) return undefined;
  elements.push(text.slice(start, -1));
  return elements;
}
