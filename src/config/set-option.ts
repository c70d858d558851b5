import type { ConfigNode } from './config-node.ts';
import type { Problem } from './problem.ts';
import { readValue } from './read-yaml.ts';

/** `a.b=c` of `--set` as a tree. The value is YAML: `[console, store]`, `30s`, `true`. */
export function readSetOption(option: string, problems: Problem[]): ConfigNode | undefined {
  const at = { file: `--set ${option}`, line: 0, column: 0 };
  const equals = option.indexOf('=');
  const keys = option.slice(0, Math.max(equals, 0)).split('.');
  if (keys.some((key) => key === '')) {
    problems.push({ at, path: '', message: 'expected key=value, e.g. exporters.store.max_age=7d' });
    return undefined;
  }
  let node = readValue(option.slice(equals + 1), at);
  for (const key of keys.reverse()) node = { kind: 'map', at, entries: new Map([[key, { key_at: at, node }]]) };
  return node;
}
