/** As much of JSON Schema draft 2020-12 as the schemas of the GenAI conventions use. */
export interface Schema {
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** Every place where the value is not what the schema says; other schemas that it refers to are taken for kept. */
export function schemaProblems(value: unknown, schema: Schema, root: Schema = schema, path = '$'): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '');
    const target = root.$defs?.[name];
    return target === undefined ? [] : schemaProblems(value, target, root, path);
  }
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((choice) => schemaProblems(value, choice, root, path));
    return tries.some((problems) => problems.length === 0) ? [] : [`${path}: ${tries.flat().join(' or ')}`];
  }
  if (schema.const !== undefined && value !== schema.const) return [`${path}: not ${String(schema.const)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path}: not of ${schema.enum.join(', ')}`];
  if (schema.type !== undefined && typeName(value) !== schema.type) return [`${path}: not of type ${schema.type}`];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined
      ? []
      : value.flatMap((item, index) => schemaProblems(item, items, root, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  return [
    ...(schema.required ?? []).filter((name) => !(name in fields)).map((name) => `${path}.${name}: missing`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      name in fields ? schemaProblems(fields[name], property, root, `${path}.${name}`) : [],
    ),
  ];
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
