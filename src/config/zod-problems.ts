import type { z } from 'zod';
import { type ConfigNode, childNode, locate, locateKey, plainValue } from './config-node.ts';
import { suggest } from './did-you-mean.ts';
import type { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/**
 * Checks the value of `node` (the part of the configuration at `path`) and gives what the schema makes of it; undefined
 * after adding to `problems`.
 */
export function checkNode<T extends z.ZodType>(
  schema: T,
  node: ConfigNode,
  path: readonly string[],
  problems: Problem[],
): z.output<T> | undefined {
  const value = plainValue(node) ?? {};
  let result = schema.safeParse(value, { reportInput: true });
  if (!result.success && restoreTexts(value, node, result.error.issues)) {
    result = schema.safeParse(value, { reportInput: true });
  }
  if (result.success) return result.data;
  for (const issue of result.error.issues) problems.push(...toProblems(issue, schema, node, path));
  return undefined;
}

/** Where a text is wanted, what a variable or `--set` gave is one, even if it reads like a number. */
function restoreTexts(value: unknown, node: ConfigNode, issues: readonly Issue[]): boolean {
  let restored = false;
  for (const issue of issues) {
    if (issue.code !== 'invalid_type' || issue.expected !== 'string' || issue.path.length === 0) continue;
    const scalar = issue.path.reduce<ConfigNode | undefined>(childNode, node);
    if (scalar?.kind !== 'scalar' || scalar.text === undefined) continue;
    const holder = issue.path
      .slice(0, -1)
      .reduce<unknown>((held, key) => (held as Record<PropertyKey, unknown>)?.[key], value);
    (holder as Record<PropertyKey, unknown>)[issue.path.at(-1) as PropertyKey] = scalar.text;
    restored = true;
  }
  return restored;
}

function toProblems(issue: Issue, schema: Schema, node: ConfigNode, path: readonly string[]): Problem[] {
  const holder = issue.path.reduce<ConfigNode | undefined>(childNode, node);
  const at = locate(node, issue.path);
  const full = [...path, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      at: locateKey(holder, key) ?? at,
      path: [...full, key].join('.'),
      message: `unknown key${suggest(key, known)}`,
    }));
  }
  // What the user wrote, where the schema complains about what it made of it.
  const input = holder?.kind === 'scalar' ? (holder.value ?? undefined) : issue.input;
  return [{ at, path: full.join('.'), message: messageOf(issue, input) }];
}

function messageOf(issue: Issue, input: unknown): string {
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    return `expected one of ${values.join(', ')}; got ${show(input)}`;
  }
  if (input === undefined && issue.code !== 'custom') return `is missing; ${expectation(issue)}`;
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const expected = new Set(issue.errors.flat().map(expectation));
    return `${[...expected].join(', or ')}; got ${show(input)}`;
  }
  return `${expectation(issue)}; got ${show(input)}`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return issue.origin === 'number'
        ? `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
        : plain(issue.message);
    case 'too_big':
      return issue.origin === 'number'
        ? `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
        : plain(issue.message);
    default:
      return plain(issue.message);
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function plain(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** What was given, kept short; a list's or map's contents may be secrets. */
function show(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  const text = JSON.stringify(input, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

/** The keys of the strict object that `schema` has at `path`. */
function keysAt(schema: Schema, path: readonly PropertyKey[]): string[] {
  const definition = unwrap(schema)._zod.def as unknown as Record<string, unknown>;
  const shape = definition.shape as Record<string, Schema> | undefined;
  const [key, ...rest] = path;
  if (key === undefined) return shape ? Object.keys(shape) : [];
  const child = shape?.[String(key)] ?? (definition.element as Schema) ?? (definition.valueType as Schema);
  return child === undefined ? [] : keysAt(child, rest);
}

/** Through optional, default, prefault, pipe and the like. */
function unwrap(schema: Schema): Schema {
  const definition = schema._zod.def as unknown as Record<string, Schema | undefined>;
  const inner = definition.innerType ?? definition.in;
  return inner === undefined ? schema : unwrap(inner);
}
