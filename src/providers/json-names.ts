const NAME_LIMIT = 256;
const NAME_CHARS = 128;

/**
 * Names of the members on the top level of a JSON object of which perhaps only the beginning is there, as they are written;
 * undefined: it is no object. Takes one look at each character.
 */
export function topLevelNames(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let depth = 0;
  let quote_at: number | undefined;
  let last = '';
  for (let at = 0; at < text.length && names.length < NAME_LIMIT; at++) {
    const char = text[at] as string;
    if (quote_at !== undefined) {
      if (char === '\\') at++;
      else if (char === '"') {
        if (depth === 1 && at - quote_at <= NAME_CHARS) last = text.slice(quote_at + 1, at);
        quote_at = undefined;
      }
    } else if (char === '"') quote_at = at;
    else if (char === '{' || char === '[') {
      if (depth === 0 && char === '[') return undefined;
      depth++;
    } else if (char === '}' || char === ']') depth--;
    else if (char === ':' && depth === 1) names.push(last);
    else if (depth === 0 && !/[\s\uFEFF]/.test(char)) return undefined;
  }
  return depth === 0 && names.length === 0 ? undefined : names;
}
