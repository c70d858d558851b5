/**
 * Reads the BTF type information of an ELF object: just the kinds that plain structs and enums are made of.
 * Format: Documentation/bpf/btf.rst of the Linux kernel; ELF64 little-endian.
 */

export interface Btf {
  readonly types: readonly BtfType[];
}

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly offset_bits: number;
}

export type BtfType =
  | { readonly kind: 'int'; readonly name: string; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'array'; readonly element: number; readonly length: number }
  | { readonly kind: 'struct'; readonly name: string; readonly size: number; readonly members: readonly BtfMember[] }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly values: readonly (readonly [name: string, value: number])[];
    }
  | { readonly kind: 'alias'; readonly name: string; readonly type: number }
  | { readonly kind: 'other'; readonly name: string };

/** Throws when `object` is not an ELF file with a .BTF section. */
export function readBtf(object: Buffer): Btf {
  const section = findSection(object, '.BTF');
  if (section.readUInt16LE(0) !== 0xeb9f) throw new Error('.BTF does not begin with its magic number');
  const header_bytes = section.readUInt32LE(4);
  const types = section.subarray(
    header_bytes + section.readUInt32LE(8),
    header_bytes + section.readUInt32LE(8) + section.readUInt32LE(12),
  );
  const strings = section.subarray(header_bytes + section.readUInt32LE(16));
  return { types: [...readTypes(types, strings)] };
}

/** Follows typedefs and qualifiers to the type behind them. */
export function resolve(btf: Btf, id: number): BtfType {
  const type = btf.types[id] ?? { kind: 'other', name: `type ${id}` };
  return type.kind === 'alias' ? resolve(btf, type.type) : type;
}

function* readTypes(data: Buffer, strings: Buffer): Generator<BtfType> {
  yield { kind: 'other', name: 'void' };
  let at = 0;
  const word = () => {
    at += 4;
    return data.readUInt32LE(at - 4);
  };
  while (at < data.length) {
    const name = textAt(strings, word());
    const info = word();
    const size_or_type = word();
    const count = info & 0xffff;
    const bitfields = info >>> 31 === 1;
    switch ((info >>> 24) & 0x1f) {
      case 1: // INT
        yield { kind: 'int', name, size: size_or_type, signed: ((word() >>> 24) & 1) === 1 };
        break;
      case 3: {
        // ARRAY
        const element = word();
        word();
        yield { kind: 'array', element, length: word() };
        break;
      }
      case 4: // STRUCT
      case 5: {
        // UNION
        const members = Array.from({ length: count }, () => ({
          name: textAt(strings, word()),
          type: word(),
          offset_bits: word() & (bitfields ? 0xffffff : 0xffffffff),
        }));
        yield { kind: 'struct', name, size: size_or_type, members };
        break;
      }
      case 6: {
        // ENUM
        const values = Array.from({ length: count }, () => [textAt(strings, word()), word() | 0] as const);
        yield { kind: 'enum', name, values };
        break;
      }
      case 2: // PTR
      case 7: // FWD
      case 12: // FUNC
      case 16: // FLOAT
        yield { kind: 'other', name };
        break;
      case 8: // TYPEDEF
      case 9: // VOLATILE
      case 10: // CONST
      case 11: // RESTRICT
      case 18: // TYPE_TAG
        yield { kind: 'alias', name, type: size_or_type };
        break;
      case 13: // FUNC_PROTO
        at += count * 8;
        yield { kind: 'other', name };
        break;
      case 14: // VAR
      case 17: // DECL_TAG
        at += 4;
        yield { kind: 'other', name };
        break;
      case 15: // DATASEC
      case 19: // ENUM64
        at += count * 12;
        yield { kind: 'other', name };
        break;
      default:
        throw new Error(`unknown BTF kind in type info ${info.toString(16)}`);
    }
  }
}

function findSection(object: Buffer, name: string): Buffer {
  if (object.readUInt32BE(0) !== 0x7f454c46 || object[4] !== 2) throw new Error('not an ELF64 file');
  const table = Number(object.readBigUInt64LE(40));
  const entry_bytes = object.readUInt16LE(58);
  const count = object.readUInt16LE(60);
  const section = (index: number) => {
    const at = table + index * entry_bytes;
    const from = Number(object.readBigUInt64LE(at + 24));
    return {
      name: object.readUInt32LE(at),
      data: object.subarray(from, from + Number(object.readBigUInt64LE(at + 32))),
    };
  };
  const names = section(object.readUInt16LE(62)).data;
  for (let index = 0; index < count; index++) {
    const { name: at, data } = section(index);
    if (textAt(names, at) === name) return data;
  }
  throw new Error(`the object has no ${name} section`);
}

function textAt(strings: Buffer, at: number): string {
  return strings.toString('latin1', at, strings.indexOf(0, at));
}
