/** Small x86-64 ELF executables, put together from functions that call each other and refer to strings. */

/** An instruction: bytes as hex, or one that holds a reference to a function or a string. */
export type Instruction =
  | string
  | { readonly call: string }
  | { readonly jump: string }
  /** `lea REGISTER, [rip + ...]`; the opcode is all before the displacement. */
  | { readonly lea: string; readonly to: string }
  /** `mov REGISTER, imm32` of an address. */
  | { readonly mov: string; readonly to: string };

export interface BuiltFunction {
  readonly name: string;
  readonly code: readonly Instruction[];
}

export interface ElfPlan {
  readonly functions: readonly BuiltFunction[];
  readonly strings: readonly string[];
  /** Words of relocated data: numbers, and names of functions. */
  readonly data?: readonly (number | string)[];
  /** Whether the addresses of functions in `data` stand apart from it, as relocations, by default in place. */
  readonly withRelocations?: boolean;
  /** By default 62, x86-64. */
  readonly machine?: number;
  readonly withUnwindTables?: boolean;
  readonly withSymbols?: boolean;
}

export interface BuiltElf {
  readonly bytes: Buffer;
  /** File offsets of the functions. */
  readonly offsets: ReadonlyMap<string, bigint>;
}

const BASE = 0x400000;
const TEXT_AT = 0x1000;
const PADDING_INT3 = 0xcc;
const NAMES = [
  '',
  '.text',
  '.rodata',
  '.eh_frame_hdr',
  '.eh_frame',
  '.data.rel.ro',
  '.rela.dyn',
  '.symtab',
  '.strtab',
  '.shstrtab',
];
const R_X86_64_RELATIVE = 8;

export const hex32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes.toString('hex');
};

export function buildElf(plan: ElfPlan): BuiltElf {
  const { functions, strings, data = [], withRelocations = false, machine = 62, withUnwindTables = true } = plan;
  const addresses = new Map<string, number>();
  const stringAddresses = new Map<string, number>();
  let end = BASE + TEXT_AT;
  for (const { name, code } of functions) {
    addresses.set(name, end);
    end += align(code.reduce((sum, one) => sum + lengthOf(one), 0) + 1, 16);
  }
  const text = Buffer.alloc(end - BASE - TEXT_AT, PADDING_INT3);
  const constantsAt = align(TEXT_AT + text.length, 16);
  const constants = Buffer.from(`\0${strings.join('\0')}\0`);
  for (const one of strings) stringAddresses.set(one, BASE + constantsAt + constants.indexOf(`\0${one}\0`) + 1);
  const lengths = functions.map(({ name, code }) => {
    const start = (addresses.get(name) as number) - BASE - TEXT_AT;
    const bytes = assemble(code, BASE + TEXT_AT + start, addresses, stringAddresses);
    bytes.copy(text, start);
    return { start: start + BASE + TEXT_AT, bytes: bytes.length };
  });
  const indexAt = align(constantsAt + constants.length, 16);
  const { index, frames } = unwindTables(lengths, BASE + indexAt);
  const names = Buffer.from(`${NAMES.join('\0')}\0`);
  const framesAt = indexAt + index.length;
  const dataAt = align(framesAt + frames.length, 8);
  const { words, relocations } = relocatedData(data, withRelocations, BASE + dataAt, addresses);
  const relocationsAt = dataAt + words.length;
  const symbols = symbolTable(plan.withSymbols ? addresses : new Map());
  const symbolsAt = relocationsAt + relocations.length;
  const symbolNamesAt = symbolsAt + symbols.table.length;
  const namesAt = symbolNamesAt + symbols.names.length;
  const sectionsAt = align(namesAt + names.length, 8);
  const bytes = Buffer.alloc(sectionsAt + 64 * NAMES.length);
  writeHeader(bytes, machine, sectionsAt);
  writeSegment(bytes, 0, { type: 1, flags: 5, offset: TEXT_AT, length: text.length });
  writeSegment(bytes, 1, { type: withUnwindTables ? 0x6474e550 : 0, flags: 4, offset: indexAt, length: index.length });
  const sections = [
    { at: 0, content: Buffer.alloc(0), type: 0, flags: 0 },
    { at: TEXT_AT, content: text, type: 1, flags: 6 },
    { at: constantsAt, content: constants, type: 1, flags: 2 },
    { at: indexAt, content: index, type: 1, flags: 2 },
    { at: framesAt, content: frames, type: 1, flags: 2 },
    { at: dataAt, content: words, type: 1, flags: 3 },
    { at: relocationsAt, content: relocations, type: 4, flags: 2 },
    { at: symbolsAt, content: symbols.table, type: 2, flags: 0 },
    { at: symbolNamesAt, content: symbols.names, type: 3, flags: 0 },
    { at: namesAt, content: names, type: 3, flags: 0 },
  ];
  sections.forEach(({ at, content, type, flags }, number) => {
    content.copy(bytes, at);
    const header = sectionsAt + 64 * number;
    bytes.writeUInt32LE(names.indexOf(`${NAMES[number]}\0`), header);
    bytes.writeUInt32LE(type, header + 4);
    bytes.writeBigUInt64LE(BigInt(flags), header + 8);
    bytes.writeBigUInt64LE(BigInt(BASE + at), header + 16);
    bytes.writeBigUInt64LE(BigInt(at), header + 24);
    bytes.writeBigUInt64LE(BigInt(content.length), header + 32);
    // Only a symbol table has one.
    bytes.writeUInt32LE(NAMES.indexOf('.strtab'), header + 40);
  });
  const offsets = new Map([...addresses].map(([name, address]) => [name, BigInt(address - BASE)]));
  return { bytes, offsets };
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

function lengthOf(one: Instruction): number {
  if (typeof one === 'string') return one.length / 2;
  if ('lea' in one) return one.lea.length / 2 + 4;
  return 'mov' in one ? one.mov.length / 2 + 4 : 5;
}

type Addresses = ReadonlyMap<string, number>;

function assemble(code: readonly Instruction[], start: number, functions: Addresses, strings: Addresses): Buffer {
  let at = start;
  const pieces = code.map((one) => {
    at += lengthOf(one);
    if (typeof one === 'string') return one;
    const callee = 'call' in one ? one.call : 'jump' in one ? one.jump : undefined;
    const target = 'to' in one ? strings.get(one.to) : functions.get(callee ?? '');
    if (target === undefined) throw new Error(`nothing is called ${callee ?? ('to' in one && one.to)}`);
    if ('mov' in one) return one.mov + hex32(target);
    const opcode = 'call' in one ? 'e8' : 'jump' in one ? 'e9' : one.lea;
    return opcode + hex32(target - at);
  });
  return Buffer.from(pieces.join(''), 'hex');
}

/** `.eh_frame_hdr` and the part of `.eh_frame` that says where functions begin and how long they are. */
function unwindTables(functions: readonly { start: number; bytes: number }[], address: number) {
  const index = Buffer.alloc(12 + 8 * functions.length);
  const frames = Buffer.alloc(16 * functions.length);
  index.write('011b033b', 'hex');
  index.writeUInt32LE(functions.length, 8);
  functions.forEach(({ start, bytes }, number) => {
    const frame = address + index.length + 16 * number;
    index.writeInt32LE(start - address, 12 + 8 * number);
    index.writeInt32LE(frame - address, 16 + 8 * number);
    frames.writeUInt32LE(12, 16 * number);
    frames.writeInt32LE(start - (frame + 8), 16 * number + 8);
    frames.writeUInt32LE(bytes, 16 * number + 12);
  });
  return { index, frames };
}

function symbolTable(functions: Addresses) {
  const names = Buffer.from(`\0${[...functions.keys()].map((name) => `${name}\0`).join('')}`);
  const table = Buffer.alloc(24 * functions.size);
  [...functions].forEach(([name, address], number) => {
    table.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, 24 * number);
    table.writeUInt8(2, 24 * number + 4);
    table.writeUInt16LE(1, 24 * number + 6);
    table.writeBigUInt64LE(BigInt(address), 24 * number + 8);
  });
  return { table, names };
}

function relocatedData(data: ElfPlan['data'] = [], isApart: boolean, address: number, functions: Addresses) {
  const words = Buffer.alloc(8 * data.length);
  const entries: Buffer[] = [];
  data.forEach((one, number) => {
    const value = typeof one === 'number' ? one : functions.get(one);
    if (value === undefined) throw new Error(`nothing is called ${one}`);
    if (typeof one === 'number' || !isApart) {
      words.writeBigUInt64LE(BigInt(value), 8 * number);
      return;
    }
    const entry = Buffer.alloc(24);
    entry.writeBigUInt64LE(BigInt(address + 8 * number), 0);
    entry.writeBigUInt64LE(BigInt(R_X86_64_RELATIVE), 8);
    entry.writeBigUInt64LE(BigInt(value), 16);
    entries.push(entry);
  });
  return { words, relocations: Buffer.concat(entries) };
}

function writeHeader(bytes: Buffer, machine: number, sectionsAt: number): void {
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(BigInt(sectionsAt), 40);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(NAMES.length, 60);
  bytes.writeUInt16LE(NAMES.length - 1, 62);
}

function writeSegment(
  bytes: Buffer,
  number: number,
  { type, flags, offset, length }: { type: number; flags: number; offset: number; length: number },
): void {
  const at = 64 + 56 * number;
  bytes.writeUInt32LE(type, at);
  bytes.writeUInt32LE(flags, at + 4);
  bytes.writeBigUInt64LE(BigInt(offset), at + 8);
  bytes.writeBigUInt64LE(BigInt(BASE + offset), at + 16);
  bytes.writeBigUInt64LE(BigInt(length), at + 32);
}
