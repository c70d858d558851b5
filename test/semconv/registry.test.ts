import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import * as generated from '../../src/spans/semconv.gen.ts';
import { spansOf } from '../spans/sample-activities.ts';
import { everyActivity } from './every-activity.ts';

const root = join(import.meta.dirname, '../..');

interface Registry<Item> {
  readonly groups: readonly { readonly id: string; readonly attributes: readonly Item[] }[];
}

function registry<Item>(file: string): Registry<Item>['groups'] {
  return (parse(readFileSync(join(root, 'semconv', file), 'utf8')) as Registry<Item>).groups;
}

test('every generated constant is used', () => {
  const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.gen.ts'));
  const text = sources.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const unused = Object.keys(generated).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
  assert.deepEqual(unused, []);
});

test('each of our own attributes has a type, a meaning, an example, and a unit if it is a number', () => {
  for (const attribute of registry<Record<string, unknown>>('attributes.yaml').flatMap((group) => group.attributes)) {
    const { id, type, brief, examples, annotations } = attribute;
    assert.match(String(id), /^undersight\.[a-z_.]+$/);
    assert.ok(typeof brief === 'string' && brief.length > 10, `${id} has no meaning`);
    assert.ok(Array.isArray(examples) && examples.length > 0, `${id} has no example`);
    const unit = (annotations as { unit?: string } | undefined)?.unit;
    assert.equal(unit !== undefined, type === 'int' || type === 'double', `${id}: unit`);
  }
});

test('what spans carry is what their group in the registry lists', () => {
  const listed = new Map(
    registry<{ ref: string; requirement_level?: string }>('spans.yaml').map(({ id, attributes }) => [
      id.split('.')[2] ?? '',
      {
        attributes: attributes.filter((item) => item.requirement_level === undefined).map(({ ref }) => ref),
        content: attributes.filter((item) => item.requirement_level === 'opt_in').map(({ ref }) => ref),
      },
    ]),
  );
  for (const activity of everyActivity) {
    const [span] = spansOf([activity]).spans;
    const group = listed.get(activity.kind) ?? assert.fail(activity.kind);
    for (const name of Object.keys(span?.attributes ?? {})) assert.ok(group.attributes.includes(name), name);
    const allowed_content = [...group.content, 'process.command_args'];
    for (const name of Object.keys(span?.content ?? {})) assert.ok(allowed_content.includes(name), name);
  }
  const resource = listed.get('resource')?.attributes ?? [];
  const [span] = spansOf([...everyActivity].slice(0, 1)).spans;
  for (const name of Object.keys(span?.resource.attributes ?? {})) assert.ok(resource.includes(name), name);
});
