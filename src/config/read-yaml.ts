import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ConfigNode, MapNode } from './config-node.ts';
import { expandVariables } from './expand-variables.ts';
import type { Location, Problem } from './problem.ts';

/** Aliases make a small file large. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 32;

/** The tree of a YAML text, variables expanded; an empty text is an empty map. Errors go to `problems`. */
export function readYaml(text: string, file: string, env: NodeJS.ProcessEnv, problems: Problem[]): ConfigNode {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  for (const [index, error] of document.errors.entries()) {
    if (index > 0 && error.message === document.errors[index - 1]?.message) continue;
    problems.push({ at: place(error.pos[0]), path: '', message: lowerFirst(error.message) });
  }
  const root: MapNode = { kind: 'map', at: { file, line: 1, column: 1 }, entries: new Map() };
  if (document.errors.length > 0 || document.contents === null) return root;
  const node = createWalk(document, place, env, problems)(document.contents, [], 0);
  if (node.kind === 'map') return node;
  if (node.kind !== 'scalar' || node.value !== null) {
    problems.push({ at: node.at, path: '', message: 'expected a map with receivers, processors, exporters, service' });
  }
  return root;
}

/** One value as `--set` and variables give it: YAML, or the text itself where it is not. */
export function readValue(text: string, at: Location): ConfigNode {
  const scalar: ConfigNode = { kind: 'scalar', at, value: text, text };
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0 || document.contents === null) return scalar;
  const node = createWalk(document, () => at, {}, [])(document.contents, [], 0);
  return node.kind === 'scalar' ? { ...node, text } : node;
}

function createWalk(
  document: Document.Parsed,
  place: (offset: number) => Location,
  env: NodeJS.ProcessEnv,
  problems: Problem[],
): (item: unknown, path: readonly string[], depth: number) => ConfigNode {
  let nodes = 0;

  function refuse(at: Location, path: readonly string[], message: string): ConfigNode {
    problems.push({ at, path: path.join('.'), message });
    return { kind: 'scalar', at, value: null };
  }

  function readMap(
    item: { items: readonly { key: unknown; value: unknown }[] },
    at: Location,
    path: readonly string[],
    depth: number,
  ): ConfigNode {
    const map: MapNode = { kind: 'map', at, entries: new Map() };
    for (const { key, value } of item.items) {
      const key_at = isScalar(key) && key.range ? place(key.range[0]) : at;
      if (!isScalar(key) || key.value === null) refuse(key_at, path, 'expected a name before the colon');
      else {
        const name = String(key.value);
        map.entries.set(name, { key_at, node: walk(value ?? null, [...path, name], depth + 1, key_at) });
      }
    }
    return map;
  }

  function readText(text: string, at: Location, path: readonly string[]): ConfigNode {
    const expansion = expandVariables(text, env);
    if (expansion === undefined) return { kind: 'scalar', at, value: text };
    for (const reference of expansion.missing) {
      const name = reference.replace(/^\$\{(env:)?|\}$/g, '');
      refuse(at, path, `the variable ${name} is not set; give a default: \${env:${name}:-value}`);
    }
    return expansion.whole ? readValue(expansion.text, at) : { kind: 'scalar', at, value: expansion.text };
  }

  function walk(item: unknown, path: readonly string[], depth: number, around?: Location): ConfigNode {
    const range = (item as { range?: readonly number[] | null } | null)?.range;
    const at = range ? place(range[0] ?? 0) : (around ?? place(0));
    if (++nodes > MAX_NODES || depth > MAX_DEPTH) return refuse(at, path, 'the configuration is too large here');
    if (isAlias(item)) return walk(item.resolve(document) ?? null, path, depth + 1, at);
    if (isMap(item)) return readMap(item, at, path, depth);
    if (isSeq(item)) {
      const items = item.items.map((child, index) => walk(child, [...path, String(index)], depth + 1, at));
      return { kind: 'list', at, items };
    }
    if (!isScalar(item) || item.value === null || item.value === undefined) return { kind: 'scalar', at, value: null };
    if (typeof item.value === 'string') return readText(item.value, at, path);
    if (typeof item.value === 'number' || typeof item.value === 'boolean')
      return { kind: 'scalar', at, value: item.value };
    return { kind: 'scalar', at, value: String(item.value) };
  }

  return walk;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
