import { createHash } from 'node:crypto';
import { type Btf, type BtfType, readBtf, resolve } from './btf.ts';

/** What events.h says, taken from a compiled object: the enums and structs it shares with user space. */
export interface Layout {
  readonly enums: readonly EnumLayout[];
  readonly structs: readonly StructLayout[];
}

export interface EnumLayout {
  readonly name: string;
  readonly values: readonly (readonly [name: string, value: number])[];
}

export interface StructLayout {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly FieldLayout[];
}

export type FieldType =
  | { readonly kind: 'int'; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'text'; readonly length: number }
  | { readonly kind: 'bytes'; readonly length: number }
  | { readonly kind: 'struct'; readonly name: string };

export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly type: FieldType;
}

/** The layout of the types called `names`, in that order. Throws when the object lacks one of them. */
export function readLayout(object: Buffer, names: { enums: readonly string[]; structs: readonly string[] }): Layout {
  const btf = readBtf(object);
  const find = <K extends 'enum' | 'struct'>(kind: K, name: string): BtfType & { kind: K } => {
    for (const type of btf.types) if (type.kind === kind && type.name === name) return type as BtfType & { kind: K };
    throw new Error(`the object's BTF lacks ${kind} ${name}: export it in undersight.bpf.c`);
  };
  return {
    enums: names.enums.map((name) => ({ name, values: find('enum', name).values })),
    structs: names.structs.map((name) => {
      const { size, members } = find('struct', name);
      const fields = members.map((member) => ({
        name: member.name,
        offset: member.offset_bits / 8,
        type: fieldType(btf, member.type, `${name}.${member.name}`),
      }));
      return { name, size, fields };
    }),
  };
}

/** sha256 in hex over a canonical text of the layout: equal exactly when every name, value, type, offset and size is. */
export function hashLayout({ enums, structs }: Layout): string {
  const byName = <T extends { name: string }>(all: readonly T[]) => all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([byName(enums), byName(structs)]))
    .digest('hex');
}

function fieldType(btf: Btf, id: number, where: string): FieldType {
  const type = resolve(btf, id);
  if (type.kind === 'int') return { kind: 'int', size: type.size, signed: type.signed };
  if (type.kind === 'struct') return { kind: 'struct', name: type.name };
  if (type.kind === 'array') {
    const element = resolve(btf, type.element);
    if (element.kind === 'int' && element.size === 1)
      return { kind: element.name === 'char' ? 'text' : 'bytes', length: type.length };
  }
  throw new Error(`${where} has a type that cannot cross to user space`);
}
