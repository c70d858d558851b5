import { asNumber, type JsonObject } from './json-value.ts';
import { protoField, protoString } from './proto-json.ts';

type Container = Record<string | number, unknown>;

const DEPTH_LIMIT = 32;
/** What Vertex AI sends of RFC 9535: names, quoted names and positions. */
const STEP = /\.([^.[\]]{1,256})|\['([^']{1,256})'\]|\[(\d{1,4})\]/g;

function partialValue(partial: JsonObject): unknown {
  if (protoField(partial, 'nullValue') !== undefined) return null;
  const flag = protoField(partial, 'boolValue');
  if (typeof flag === 'boolean') return flag;
  return protoString(partial, 'stringValue') ?? asNumber(protoField(partial, 'numberValue'));
}

/** A name is of an object, a position of an array without gaps. */
function fits(container: Container, key: string | number): boolean {
  if (typeof key === 'string') return !Array.isArray(container) && key !== '__proto__';
  return Array.isArray(container) && key <= container.length;
}

/**
 * Adds one of the `partialArgs` of a streamed function call to the arguments so far: texts go on where they were left,
 * `$.a.b[0]` makes what is missing on the way. What does not fit is left out.
 */
export function addPartialArg(args: Container, partial: JsonObject): void {
  const value = partialValue(partial);
  const path = protoString(partial, 'jsonPath') ?? '';
  const steps = [...path.slice(0, 4096).matchAll(STEP)];
  const keys = steps.map(([, name, quoted, position]) => name ?? quoted ?? Number(position));
  const last = keys.pop();
  if (value === undefined || last === undefined || keys.length >= DEPTH_LIMIT) return;
  let at = args;
  for (const [depth, key] of keys.entries()) {
    if (!fits(at, key)) return;
    const known = Object.hasOwn(at, key) ? at[key] : undefined;
    const next = known ?? (typeof (keys[depth + 1] ?? last) === 'number' ? [] : {});
    if (typeof next !== 'object' || next === null) return;
    at[key] = next;
    at = next as Container;
  }
  if (!fits(at, last)) return;
  const before = Object.hasOwn(at, last) ? at[last] : undefined;
  at[last] = typeof before === 'string' && typeof value === 'string' ? before + value : value;
}
