/** What a compiled object's BTF says about its structs, enums and tunables (Documentation/bpf/btf.rst, section 2.2). */
import koffi from 'koffi';
import { SetupError } from '../model/setup-error.ts';
import * as raw from './events.gen.ts';
import { libbpf, type Pointer } from './libbpf.ts';

const KIND_STRUCT = 4;
const KIND_ENUM = 6;
const KIND_VARIABLE = 14;
const KIND_SECTION = 15;
const TYPE_BYTES = 12;

interface Struct {
  readonly size: number;
  readonly offset: Readonly<Record<string, number>>;
}

/** Throws SetupError when the object's records are not those that events.gen.ts reads. */
export function checkLayout(object: Pointer): void {
  const btf: Pointer = libbpf().object_btf(object);
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value !== 'object') continue;
    const same = 'size' in value ? isSameStruct(btf, name, value) : isSameEnum(btf, name, value);
    if (!same) {
      throw new SetupError(
        `The kernel programs were built from another version of this program (${name} differs)`,
        'Build them again: npm run build.',
      );
    }
  }
}

/** Where each variable of a data section lies, and how large it is. */
export function readVariables(object: Pointer, section: string): Map<string, { offset: number; bytes: number }> {
  const btf: Pointer = libbpf().object_btf(object);
  const variables = new Map<string, { offset: number; bytes: number }>();
  const members = readMembers(btf, section, KIND_SECTION, 12)?.members ?? [];
  for (const member of members) {
    const variable = Buffer.from(koffi.view(libbpf().btf_type(btf, member.readUInt32LE(0)), TYPE_BYTES));
    if (kindOf(variable) !== KIND_VARIABLE) continue;
    const name: string = libbpf().btf_name(btf, variable.readUInt32LE(0));
    variables.set(name, { offset: member.readUInt32LE(4), bytes: member.readUInt32LE(8) });
  }
  return variables;
}

function isSameStruct(btf: Pointer, name: string, expected: Struct): boolean {
  const found = readMembers(btf, name, KIND_STRUCT, 12);
  if (found === undefined || found.type.readUInt32LE(8) !== expected.size) return false;
  const offsets = new Map(found.members.map((one) => [nameAt(btf, one), one.readUInt32LE(8) / 8]));
  offsets.delete('padding');
  const fields = Object.entries(expected.offset);
  return fields.length === offsets.size && fields.every(([field, offset]) => offsets.get(field) === offset);
}

function isSameEnum(btf: Pointer, name: string, expected: Readonly<Record<string, number>>): boolean {
  const found = readMembers(btf, name, KIND_ENUM, 8);
  if (found === undefined) return false;
  const values = new Map(found.members.map((one) => [nameAt(btf, one), one.readInt32LE(4)]));
  const entries = Object.entries(expected);
  return entries.length === values.size && entries.every(([key, value]) => values.get(key) === value);
}

function readMembers(btf: Pointer, name: string, kind: number, memberBytes: number) {
  const id: number = libbpf().btf_find(btf, name, kind);
  if (id < 0) return undefined;
  const pointer: Pointer = libbpf().btf_type(btf, id);
  const count = Buffer.from(koffi.view(pointer, TYPE_BYTES)).readUInt32LE(4) & 0xffff;
  const type = Buffer.from(koffi.view(pointer, TYPE_BYTES + count * memberBytes));
  const members = Array.from({ length: count }, (_, index) => {
    const at = TYPE_BYTES + index * memberBytes;
    return type.subarray(at, at + memberBytes);
  });
  return { type, members };
}

function kindOf(type: Buffer): number {
  return (type.readUInt32LE(4) >>> 24) & 0x1f;
}

function nameAt(btf: Pointer, member: Buffer): string {
  return libbpf().btf_name(btf, member.readUInt32LE(0));
}
