import type { Location } from './problem.ts';

/** A configuration value that knows where it was written. */
export type ConfigNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: 'map';
  readonly at: Location;
  readonly entries: Map<string, { readonly key_at: Location; readonly node: ConfigNode }>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: Location;
  readonly items: readonly ConfigNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: Location;
  readonly value: string | number | boolean | null;
  /** The text of a value that was read from a variable or an option: a place for a text takes it as it is. */
  readonly text?: string | undefined;
}

/** As the Collector merges: maps key by key, everything else is replaced. An empty value leaves a map as it is. */
export function mergeNodes(below: ConfigNode, above: ConfigNode): ConfigNode {
  if (below.kind === 'map' && above.kind === 'scalar' && above.value === null) return below;
  if (below.kind !== 'map' || above.kind !== 'map') return above;
  const entries = new Map(below.entries);
  for (const [key, entry] of above.entries) {
    const under = entries.get(key);
    entries.set(key, under === undefined ? entry : { ...entry, node: mergeNodes(under.node, entry.node) });
  }
  return { kind: 'map', at: above.at, entries };
}

/** The plain value; an empty value is left out, so that its default holds. Objects have no prototype. */
export function plainValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value ?? undefined;
  if (node.kind === 'list') return node.items.map(plainValue);
  const value = Object.create(null);
  for (const [key, { node: child }] of node.entries) {
    const plain = plainValue(child);
    if (plain !== undefined) value[key] = plain;
  }
  return value;
}

export function childNode(node: ConfigNode | undefined, key: PropertyKey): ConfigNode | undefined {
  if (node?.kind === 'map') return node.entries.get(String(key))?.node;
  if (node?.kind === 'list') return node.items[Number(key)];
  return undefined;
}

/** Where the value at `path` was written, or the nearest one around it that was; of a map, its key. */
export function locate(node: ConfigNode, path: readonly PropertyKey[]): Location {
  let at = node.at;
  let current: ConfigNode | undefined = node;
  for (const key of path) {
    const child = childNode(current, key);
    if (child === undefined) return at;
    at = (child.kind === 'map' && locateKey(current, key)) || child.at;
    current = child;
  }
  return at;
}

/** Where a map's key was written. */
export function locateKey(node: ConfigNode | undefined, key: PropertyKey): Location | undefined {
  return node?.kind === 'map' ? node.entries.get(String(key))?.key_at : undefined;
}
