/**
 * How much stack the programs of a compiled object need, counted as kernels do that give them none of their own
 * (check_max_stack_depth in the kernel's kernel/bpf/verifier.c): the frames of a program and of what it calls, callbacks of
 * bpf_loop included, each rounded up to 32 bytes. A kernel loads up to 512 bytes and 8 frames.
 */
export interface StackDepth {
  readonly program: string;
  readonly bytes: number;
  /** Of its longest chain. */
  readonly frames: number;
  /** The one that needs most: from the program to the innermost, each with the bytes of its own frame. */
  readonly chain: readonly { readonly name: string; readonly bytes: number }[];
}

export const MAX_STACK_BYTES = 512;
export const MAX_FRAMES = 8;

const ROUNDING_BYTES = 32;
const FRAME_POINTER = 10;
const SECTION_SYMBOLS = 2;
const SECTION_RELOCATIONS = 9;
const SYMBOL_FUNCTION = 2;
const SYMBOL_SECTION = 3;
const LOOP_BYTES = 24; // in the frame of what calls bpf_loop, once the verifier has put the loop there
const CALL = 0x85;
const BPF_LOOP = 181;
const CALL_OF_FUNCTION = 1;
const LOAD_64 = 0x18;
const MOVE = 0xbf;
const ADD_CONSTANT = 0x07;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
  readonly link: number;
  readonly info: number;
}

interface Symbol {
  readonly name: string;
  readonly type: number;
  readonly section: number;
  readonly value: number;
  readonly bytes: number;
}

interface Function {
  readonly name: string;
  readonly isProgram: boolean;
  readonly bytes: number;
  readonly calls: readonly string[];
}

/** The deepest chain of each program of an object that clang made, deepest first. */
export function readStackDepths(object: Buffer): StackDepth[] {
  const functions = readFunctions(object);
  const deepest = (key: string, above: readonly string[]): StackDepth => {
    const { name, bytes, calls } = functions.get(key) as Function;
    if (above.includes(key)) throw new Error(`${name} calls itself`);
    const inner = calls.map((callee) => deepest(callee, [...above, key]));
    const below = inner.sort((a, b) => b.bytes - a.bytes)[0];
    const own = Math.ceil(Math.max(bytes, 1) / ROUNDING_BYTES) * ROUNDING_BYTES;
    return {
      program: name,
      bytes: own + (below?.bytes ?? 0),
      frames: 1 + Math.max(0, ...inner.map(({ frames }) => frames)),
      chain: [{ name, bytes }, ...(below?.chain ?? [])],
    };
  };
  return [...functions]
    .filter(([, { isProgram }]) => isProgram)
    .map(([key]) => deepest(key, []))
    .sort((a, b) => b.bytes - a.bytes);
}

function readFunctions(object: Buffer): Map<string, Function> {
  const sections = readSections(object);
  const symbols = readSymbols(object, sections);
  const relocations = readRelocations(object, sections, symbols);
  const starts = symbols.filter(({ type }) => type === SYMBOL_FUNCTION);
  const known = new Set(starts.map(({ section, value }) => `${section}:${value}`));
  const read = (symbol: Symbol): Function => {
    const base = sections[symbol.section]?.offset ?? 0;
    const calls = new Set<string>();
    /** Registers that hold the frame pointer plus so much. */
    const places = new Map([[FRAME_POINTER, 0]]);
    let lowest = 0;
    let hasLoop = false;
    for (let at = symbol.value; at < symbol.value + symbol.bytes; ) {
      const code = object.readUInt8(base + at);
      const registers = object.readUInt8(base + at + 1);
      const [to, from] = [registers & 15, registers >> 4];
      const offset = object.readInt16LE(base + at + 2);
      const constant = object.readInt32LE(base + at + 4);
      const kind = code & 7;
      const address = kind === 1 ? places.get(from) : kind === 2 || kind === 3 ? places.get(to) : undefined;
      if (address !== undefined) lowest = Math.min(lowest, address + offset);
      const target = relocations.get(`${symbol.section}:${at}`);
      if (code === CALL && from === CALL_OF_FUNCTION) {
        if (target === undefined) calls.add(`${symbol.section}:${at + 8 + constant * 8}`);
        else calls.add(placeOf(target, (constant + 1) * 8));
      } else if (code === LOAD_64 && target !== undefined && known.has(placeOf(target, constant))) {
        calls.add(placeOf(target, constant));
      }
      if (code === CALL && from === 0 && constant === BPF_LOOP) hasLoop = true;
      const source = places.get(from);
      const before = places.get(to);
      if (to !== FRAME_POINTER && kind !== 2 && kind !== 3 && kind !== 5) {
        if (code === MOVE && source !== undefined) places.set(to, source);
        else if (code === ADD_CONSTANT && before !== undefined) places.set(to, before + constant);
        else places.delete(to);
        lowest = Math.min(lowest, code === ADD_CONSTANT ? (places.get(to) ?? 0) : 0);
      }
      at += code === LOAD_64 ? 16 : 8;
    }
    const isProgram = sections[symbol.section]?.name !== '.text';
    return { name: symbol.name, isProgram, bytes: -lowest + (hasLoop ? LOOP_BYTES : 0), calls: [...calls] };
  };
  return new Map(starts.map((symbol) => [`${symbol.section}:${symbol.value}`, read(symbol)]));
}

function placeOf(target: Symbol, addend: number): string {
  return `${target.section}:${target.type === SYMBOL_SECTION ? addend : target.value}`;
}

function readSections(object: Buffer): Section[] {
  const at = Number(object.readBigUInt64LE(40));
  const headers = Array.from({ length: object.readUInt16LE(60) }, (_, index) => at + 64 * index);
  const names = Number(object.readBigUInt64LE((headers[object.readUInt16LE(62)] ?? 0) + 24));
  return headers.map((header) => ({
    name: textAt(object, names + object.readUInt32LE(header)),
    type: object.readUInt32LE(header + 4),
    offset: Number(object.readBigUInt64LE(header + 24)),
    bytes: Number(object.readBigUInt64LE(header + 32)),
    link: object.readUInt32LE(header + 40),
    info: object.readUInt32LE(header + 44),
  }));
}

function readSymbols(object: Buffer, sections: readonly Section[]): Symbol[] {
  const table = sections.find(({ type }) => type === SECTION_SYMBOLS);
  const names = sections[table?.link ?? 0]?.offset ?? 0;
  return Array.from({ length: (table?.bytes ?? 0) / 24 }, (_, index) => {
    const at = (table?.offset ?? 0) + 24 * index;
    return {
      name: textAt(object, names + object.readUInt32LE(at)),
      type: object.readUInt8(at + 4) & 15,
      section: object.readUInt16LE(at + 6),
      value: Number(object.readBigUInt64LE(at + 8)),
      bytes: Number(object.readBigUInt64LE(at + 16)),
    };
  });
}

/** By section and offset: the symbol that an instruction refers to. */
function readRelocations(
  object: Buffer,
  sections: readonly Section[],
  symbols: readonly Symbol[],
): Map<string, Symbol> {
  const found = new Map<string, Symbol>();
  for (const { type, offset, bytes, info } of sections) {
    if (type !== SECTION_RELOCATIONS) continue;
    for (let at = offset; at < offset + bytes; at += 16) {
      const symbol = symbols[object.readUInt32LE(at + 12)];
      if (symbol) found.set(`${info}:${Number(object.readBigUInt64LE(at))}`, symbol);
    }
  }
  return found;
}

function textAt(object: Buffer, at: number): string {
  return object.toString('latin1', at, object.indexOf(0, at));
}
