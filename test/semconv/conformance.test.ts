import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { parse } from 'yaml';
import type { AttributeValue, Span } from '../../src/model/span.ts';
import { spansOf } from '../spans/sample-activities.ts';
import { everyActivity } from './every-activity.ts';
import { type Schema, schemaProblems } from './json-schema.ts';

const folder = process.env.UNDERSIGHT_SEMCONV || undefined;
const skip =
  folder === undefined
    ? 'UNDERSIGHT_SEMCONV names no folder with model/ and schemas/ of the OpenTelemetry semantic conventions 1.41.1'
    : false;

interface Attribute {
  readonly id?: string;
  readonly ref?: string;
  readonly type?: string | { readonly members: readonly { readonly value: unknown }[] };
  readonly requirement_level?: string | object;
}

interface Group {
  readonly id: string;
  readonly type: string;
  readonly span_kind?: string;
  readonly extends?: string;
  readonly attributes?: readonly Attribute[];
}

function readModel(): { groups: Map<string, Group>; types: Map<string, Attribute['type']> } {
  const groups = new Map<string, Group>();
  const types = new Map<string, Attribute['type']>();
  for (const file of globSync('model/**/*.yaml', { cwd: folder }).filter((name) => !name.includes('deprecated'))) {
    const document = parse(readFileSync(join(folder ?? '', file), 'utf8')) as { groups?: Group[] };
    for (const group of document.groups ?? []) {
      groups.set(group.id, group);
      for (const { id, type } of group.attributes ?? []) if (id !== undefined) types.set(id, type);
    }
  }
  return { groups, types };
}

const TYPE_CHECKS: Readonly<Record<string, (value: AttributeValue) => boolean>> = {
  string: (value) => typeof value === 'string',
  int: (value) => typeof value === 'bigint' || Number.isSafeInteger(value),
  double: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  'string[]': (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  // In the structured form, or as JSON text, which is all that a span can hold.
  any: (value) => typeof value === 'string',
};
/** Ours, and one that backends read without it being in the conventions. */
const OURS = /^undersight\.|^gen_ai\.usage\.cost$/;
/** In the model's folders that the published data leaves out: only their names can be compared, with the package's. */
const ELSEWHERE = /^(service|host|os|container|deployment|telemetry|http|jsonrpc|rpc)\./;

const { spans } = spansOf(everyActivity);
const attributesOf = (span: Span) => ({ ...span.attributes, ...span.content, ...span.resource.attributes });
const spanOf = (name: RegExp): Span => spans.find((span) => name.test(span.name)) ?? assert.fail(String(name));

test('every attribute that is not ours has a name that the conventions have', () => {
  const names: readonly unknown[] = Object.values(conventions);
  const used = new Set(spans.flatMap((span) => Object.keys(attributesOf(span))));
  assert.deepEqual(
    [...used].filter((name) => !OURS.test(name) && !names.includes(name)),
    [],
  );
  for (const group of ['service.', 'host.', 'os.', 'telemetry.', 'http.', 'gen_ai.', 'mcp.', 'process.']) {
    assert.ok(
      [...used].some((name) => name.startsWith(group)),
      `nothing of ${group}`,
    );
  }
});

test('every attribute is in the conventions, and has the type and the values they say', { skip }, () => {
  const { types } = readModel();
  for (const span of spans) {
    const compared = Object.entries(attributesOf(span)).filter(([key]) => !OURS.test(key) && !ELSEWHERE.test(key));
    for (const [name, value] of compared) {
      const type = types.get(name) ?? assert.fail(`${name} is not in the conventions`);
      const kind = typeof type === 'string' ? type : typeof type.members[0]?.value === 'number' ? 'int' : 'string';
      assert.ok(TYPE_CHECKS[kind]?.(value), `${name}: ${JSON.stringify(value)} is no ${kind}`);
    }
  }
});

const published: readonly (readonly [name: RegExp, group: string])[] = [
  [/^chat /, 'span.openai.inference.client'],
  [/^invoke_agent /, 'span.gen_ai.invoke_agent.internal'],
  [/^execute_tool /, 'span.gen_ai.execute_tool.internal'],
  [/^resources\/read/, 'span.mcp.client'],
  [/^tools\/call echo/, 'span.mcp.client'],
  [/^cat$/, 'span.cli.internal'],
];
for (const [name, id] of published) {
  test(`${id}: kind and required attributes are there`, { skip }, () => {
    const { groups } = readModel();
    const span = spanOf(name);
    assert.equal(span.kind, groups.get(id)?.span_kind);
    for (let group = groups.get(id); group !== undefined; group = groups.get(group.extends ?? '')) {
      for (const { ref = '', requirement_level } of group.attributes ?? []) {
        if (requirement_level === 'required') assert.ok(ref in span.attributes, `${ref} is missing`);
        if (requirement_level === 'opt_in') assert.ok(!(ref in span.attributes), `${ref} is content`);
      }
    }
  });
}

const schemas: readonly (readonly [attribute: string, file: string])[] = [
  ['gen_ai.input.messages', 'gen-ai-input-messages'],
  ['gen_ai.output.messages', 'gen-ai-output-messages'],
  ['gen_ai.system_instructions', 'gen-ai-system-instructions'],
  ['gen_ai.tool.definitions', 'gen-ai-tool-definitions'],
];
for (const [attribute, file] of schemas) {
  test(`${attribute} is what its JSON schema says`, { skip }, () => {
    const schema = JSON.parse(readFileSync(join(folder ?? '', `schemas/${file}.json`), 'utf8')) as Schema;
    const value = JSON.parse(String(spanOf(/^chat /).content[attribute]));
    assert.deepEqual(schemaProblems(value, schema), []);
    assert.notDeepEqual(schemaProblems([{ type: 7, role: 'nobody' }], schema), [], 'the check itself works');
  });
}
