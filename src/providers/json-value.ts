/**
 * Total accessors for JSON that somebody else wrote: the wrong type is `undefined` (or empty), never an exception. Only
 * own properties are read, by name.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper parts of a value are cut. */
const DEPTH_LIMIT = 64;
const NODE_LIMIT = 200_000;
const LIST_LIMIT = 100_000;

/** The parsed text, before which a byte order mark may stand (RFC 8259 section 8.1); undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    return undefined;
  }
}

/** Does one of these names stand in this body? Of one that is no object, nothing can be said, and it may. */
export function mayHaveOneOf(body: Buffer, names: readonly string[]): boolean {
  const is_object = /^\s*\{/.test(body.toString('utf8', 0, 64));
  return is_object ? names.some((name) => body.includes(`"${name}"`)) : body.length > 0;
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** The items of an array, at most 100,000 of them; of anything else, none. */
function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [];
  return value.length > LIST_LIMIT ? value.slice(0, LIST_LIMIT) : value;
}

/** The objects among the items of an array. */
export function asObjects(value: unknown): readonly JsonObject[] {
  return asList(value).filter((item): item is JsonObject => asObject(item) !== undefined);
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A whole number from 0 to 2^53 - 1. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `value[names[0]][names[1]]...`; undefined where there is no such thing. */
export function field(value: unknown, ...names: readonly string[]): unknown {
  let at = value;
  for (const name of names) {
    const object = asObject(at);
    if (object === undefined || !Object.hasOwn(object, name)) return undefined;
    at = object[name];
  }
  return at;
}

export function stringField(value: unknown, ...names: readonly string[]): string | undefined {
  return asString(field(value, ...names));
}

export function countField(value: unknown, ...names: readonly string[]): number | undefined {
  return asCount(field(value, ...names));
}

/** `entries` without those that are undefined. */
export function defined<T extends object>(entries: T): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;
}

/** The same value, with what lies deeper than 64 levels or behind 200,000 nodes replaced by null. */
export function boundedJson(value: unknown): unknown {
  let nodes = 0;
  const bound = (item: unknown, depth: number): unknown => {
    if (typeof item !== 'object' || item === null) return item;
    if (depth >= DEPTH_LIMIT || ++nodes > NODE_LIMIT) return null;
    if (Array.isArray(item)) {
      const items = item.map((child) => bound(child, depth + 1));
      return items.some((child, i) => child !== item[i]) ? items : item;
    }
    const entries = Object.entries(item);
    const bounded = entries.map(([key, child]) => [key, bound(child, depth + 1)] as const);
    return bounded.some(([, child], i) => child !== entries[i]?.[1]) ? Object.fromEntries(bounded) : item;
  };
  return bound(value, 0);
}

/** Arguments of a tool call, which APIs send as JSON text: parsed when they are valid JSON, else the text. */
export function parseArguments(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : boundedJson(value);
}
