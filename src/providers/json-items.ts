import { asObject, asObjects, type JsonObject, parseJson } from './json-value.ts';

export interface JsonItems {
  readonly items: readonly JsonObject[];
  /** It ends where it should: nothing of it is missing. */
  readonly whole: boolean;
  /** There is something in it that is no JSON object, apart from one that is cut off at the end. */
  readonly malformed: boolean;
}

const ITEM_LIMIT = 100_000;
/** Behind so many things that are none, nothing is looked for. */
const FAULT_LIMIT = 100;
const BETWEEN_ITEMS = /[\s,[\]]/;

/**
 * The JSON objects in a text: the only one, those of an array, or one after the other (NDJSON). Where the text is cut off,
 * those that came whole.
 */
export function jsonItems(text: string): JsonItems {
  const value = parseJson(text);
  if (Array.isArray(value)) return { items: asObjects(value), whole: true, malformed: false };
  const only = asObject(value);
  if (only !== undefined) return { items: [only], whole: true, malformed: false };
  if (value !== undefined) return { items: [], whole: false, malformed: true };
  const items: JsonObject[] = [];
  let faults = 0;
  let depth = 0;
  let is_quoted = false;
  let start = 0;
  let at = 0;
  for (; at < text.length && items.length < ITEM_LIMIT && faults < FAULT_LIMIT; at++) {
    const char = text[at] as string;
    if (is_quoted) {
      if (char === '\\') at++;
      else if (char === '"') is_quoted = false;
    } else if (depth === 0) {
      if (char === '{') {
        start = at;
        depth = 1;
      } else if (!BETWEEN_ITEMS.test(char)) faults++;
    } else if (char === '"') is_quoted = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) {
      const item = asObject(parseJson(text.slice(start, at + 1)));
      if (item === undefined) faults++;
      else items.push(item);
    }
  }
  const is_open = depth > 0 || at < text.length || text.trimStart().startsWith('[');
  return { items, whole: !is_open && items.length > 0, malformed: faults > 0 || items.length === 0 };
}
