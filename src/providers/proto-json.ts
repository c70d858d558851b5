import { asObject, asObjects, field, type JsonObject, stringField } from './json-value.ts';

/**
 * JSON as Google's APIs read it (protobuf's JSON mapping): a name may also be written in its snake_case form, and a list of
 * one as that one.
 */
export function protoField(value: unknown, name: string): unknown {
  return (
    field(value, name) ??
    field(
      value,
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    )
  );
}

export function protoString(value: unknown, name: string): string | undefined {
  return stringField({ value: protoField(value, name) }, 'value');
}

export function protoObjects(value: unknown, name: string): readonly JsonObject[] {
  const found = protoField(value, name);
  const only = asObject(found);
  return only === undefined ? asObjects(found) : [only];
}
