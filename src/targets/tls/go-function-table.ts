/**
 * The table by which Go's runtime walks stacks (`pclntab`): every function with its name, source file and frame sizes. It stays
 * where symbols are stripped. Layouts: Go's src/runtime/symtab.go, of Go 1.16, 1.18 and 1.20.
 */
import { codeSections, type Elf, readCode, readFrom, readPieces, type Section } from '../elf.ts';

/** By the table's magic number: since which Go 1.N it is laid out so. */
const LAYOUTS: ReadonlyMap<number, number> = new Map([
  [0xfffffffa, 16],
  [0xfffffff0, 18],
  [0xfffffff1, 20],
]);
const NAMED_SECTION = /^(\.data\.rel\.ro)?\.gopclntab$/;
/** Where other linkers than Go's put it. */
const OTHER_SECTION = /^\.(data\.rel\.ro|rodata)$/;
const HEADER_BYTES = 72;
const QUANTUM_X86 = 1;
const POINTER_BYTES = 8;
const ALIGNMENT = 8;
const MAX_TABLE_BYTES = 512 * 1024 * 1024;
/** What only looks like the beginning of a table is rare. */
const MAX_CANDIDATES = 8;
const LOOKS_AT_CLOCK_EVERY_FUNCTIONS = 65536;
const MAX_FUNCTIONS = 4 * 1024 * 1024;
const MAX_FUNCTION_BYTES = 1024 * 1024;
const MAX_NAME_BYTES = 1024;
const MAX_STEPS = 65536;
const FUNCTION_ALIGNMENT = 16;

const SAMPLES = 64;
const MIN_SHARE = 0.2;
/** The start-up code of C that may stand before Go's own. */
const MAX_FOREIGN_BYTES = 1024 * 1024;
const SEARCHED_BYTES = 8 * 1024 * 1024;
const SEARCHED_FUNCTIONS = 4096;

/** How functions begin that check for room on the stack of the goroutine in R14: cmp rsp, [r14+16], or of rsp less a frame. */
const STACK_CHECK = /^(493b6610|4c8d6424..4d3b6610|4c8da424.{8}4d3b6610)/;
const SHORT_STACK_CHECK = 0x10663b49;
const STACK_CHECK_BYTES = 12;

export interface GoFunction {
  readonly address: number;
  readonly bytes: number;
  /** Path of the source file that its first instruction comes from. */
  readonly source_file: string | undefined;
  /** How far the stack pointer is from the return address at this offset in the function, in bytes. */
  frameBytesAt(offset: number): number | undefined;
}

export interface GoFunctionTable {
  /** The Go 1.N since which tables are laid out so: 16, 18 or 20. */
  readonly layout: number;
  readonly count: number;
  /** The functions of this name, at most two. Throws TookTooLong. */
  named(name: string): readonly GoFunction[];
}

/** How many bytes a check for room on the goroutine's stack takes, 0 where the code does not begin with one. */
export function stackCheckBytes(code: Buffer): number {
  const found = STACK_CHECK.exec(code.toString('hex', 0, STACK_CHECK_BYTES));
  return found === null ? 0 : found[0].length / 2;
}

/** Undefined where there is none, or where it contradicts itself or the code. Throws TookTooLong and what `fs.readSync` throws. */
export function readGoFunctionTable(elf: Elf): GoFunctionTable | undefined {
  const named = elf.sections.find(({ name }) => NAMED_SECTION.test(name));
  const search: TextSearch = { isDone: false };
  let candidates = 0;
  for (const place of named === undefined ? findByMagic(elf) : [{ section: named, offset: 0 }]) {
    const table = readTable(elf, place, search);
    if (table !== undefined) return table;
    candidates += 1;
    if (candidates >= MAX_CANDIDATES) return undefined;
  }
  return undefined;
}

/** Reads megabytes and compares them for a while: once for a file. */
interface TextSearch {
  isDone: boolean;
}

interface Place {
  readonly section: Section;
  readonly offset: number;
}

function* findByMagic(elf: Elf): Generator<Place> {
  const header = Buffer.from([0xff, 0xff, 0xff, 0, 0, QUANTUM_X86, POINTER_BYTES]);
  for (const section of elf.sections.filter(({ name }) => OTHER_SECTION.test(name))) {
    for (const { chunk, offset } of readPieces(elf, section, { maxBytes: MAX_TABLE_BYTES, overlap: header.length })) {
      for (let at = chunk.indexOf(header); at >= 0; at = chunk.indexOf(header, at + 1)) {
        const begins = offset + at - 1;
        if (at > 0 && (section.address + begins) % ALIGNMENT === 0) yield { section, offset: begins };
      }
    }
  }
}

function readTable(elf: Elf, { section, offset }: Place, search: TextSearch): GoFunctionTable | undefined {
  const bytes = Math.min(section.bytes - offset, MAX_TABLE_BYTES);
  const header = readFrom(elf, section.offset + offset, HEADER_BYTES);
  if (header.length < HEADER_BYTES || bytes < HEADER_BYTES) return undefined;
  const layout = LAYOUTS.get(header.readUInt32LE(0));
  const isSound = header.readUInt16LE(4) === 0 && header[6] === QUANTUM_X86 && header[7] === POINTER_BYTES;
  if (layout === undefined || !isSound) return undefined;
  const word = (index: number) => Number(header.readBigUInt64LE(8 + 8 * index));
  const hasTextStart = layout >= 18;
  const first = hasTextStart ? 3 : 2;
  const [names, units, files, pcs, functions] = [0, 1, 2, 3, 4].map((index) => word(first + index)) as Five;
  const count = word(0);
  const isOrdered = HEADER_BYTES - 8 <= names && names <= units && units <= files && files <= pcs && pcs <= functions;
  if (!isOrdered || functions >= bytes || count < SAMPLES || count > MAX_FUNCTIONS) return undefined;
  const data = readFrom(elf, section.offset + offset, bytes);
  const layoutOf: Layout = { data, layout, count, names, units, files, pcs, functions };
  const entries = readEntries(layoutOf);
  if (entries === undefined) return undefined;
  const text = layout === 16 ? 0 : findText(elf, entries, word(2), search);
  if (text === undefined || !looksLikeCode(elf, entries, text)) return undefined;
  return createTable(elf, layoutOf, entries, text);
}

type Five = [number, number, number, number, number];

interface Layout {
  readonly data: Buffer;
  readonly layout: number;
  readonly count: number;
  readonly names: number;
  readonly units: number;
  readonly files: number;
  readonly pcs: number;
  readonly functions: number;
}

/** Where each function begins (relative to the text's start, except in the oldest layout), and where it is described. */
interface Entries {
  readonly count: number;
  start(index: number): number;
  description(index: number): number;
}

function readEntries({ data, layout, count, functions }: Layout): Entries | undefined {
  const width = layout === 16 ? 8 : 4;
  if (functions + (2 * count + 1) * width > data.length) return undefined;
  const read = (at: number) => (width === 8 ? Number(data.readBigUInt64LE(at)) : data.readUInt32LE(at));
  const start = (index: number) => read(functions + 2 * index * width);
  for (let index = 0; index < count; index++) if (!(start(index) <= start(index + 1))) return undefined;
  if (!Number.isSafeInteger(start(count))) return undefined;
  return { count, start, description: (index) => functions + read(functions + (2 * index + 1) * width) };
}

/** Where the text begins to which starts are relative: as the header says (up to Go 1.25), else where the functions fit the code. */
function findText(elf: Elf, entries: Entries, said: number, search: TextSearch): number | undefined {
  const section = codeSections(elf).find(({ name }) => name === '.text');
  if (section === undefined) return undefined;
  for (const text of [said, section.address]) {
    if (text >= section.address && text < section.address + section.bytes && looksLikeCode(elf, entries, text))
      return text;
  }
  if (search.isDone) return undefined;
  search.isDone = true;
  return searchText(elf, entries, section);
}

function searchText(elf: Elf, entries: Entries, section: Section): number | undefined {
  const code = readCode(elf, section.address, Math.min(section.bytes, SEARCHED_BYTES));
  const step = Math.max(1, Math.floor(Math.min(entries.count, SEARCHED_FUNCTIONS) / SAMPLES));
  const starts = Array.from({ length: SAMPLES }, (_, sample) => entries.start(sample * step));
  const end = Math.min(MAX_FOREIGN_BYTES, code.length - (starts.at(-1) as number) - STACK_CHECK_BYTES);
  let best = { at: 0, checks: Math.floor(SAMPLES * MIN_SHARE), isAlone: false };
  for (let at = 0; at < end; at += FUNCTION_ALIGNMENT) {
    let left = SAMPLES - best.checks;
    if (!starts.every((start) => code.readUInt32LE(at + start) === SHORT_STACK_CHECK || left-- > 0)) continue;
    const checks = starts.filter((start) => code.readUInt32LE(at + start) === SHORT_STACK_CHECK).length;
    best = { at, checks, isAlone: checks > best.checks };
  }
  return best.isAlone ? section.address + best.at : undefined;
}

/** Whether so many functions, taken from all over the table, begin with the stack check that most Go functions begin with. */
function looksLikeCode(elf: Elf, entries: Entries, text: number): boolean {
  let checks = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const index = Math.floor((sample * entries.count) / SAMPLES);
    if (stackCheckBytes(readCode(elf, text + entries.start(index), STACK_CHECK_BYTES)) > 0) checks += 1;
  }
  return checks >= SAMPLES * MIN_SHARE;
}

function createTable(elf: Elf, tables: Layout, entries: Entries, text: number): GoFunctionTable {
  const { data, layout, count, names, units, files, pcs } = tables;
  /** Fields after the entry, which is a word in the oldest layout. */
  const field = (description: number, index: number): number => {
    const at = description + (layout === 16 ? 8 : 4) + 4 * index;
    return at + 4 <= data.length ? data.readUInt32LE(at) : Number.NaN;
  };
  const entryOf = (description: number): number => {
    if (description + 8 > data.length) return Number.NaN;
    return layout === 16 ? Number(data.readBigUInt64LE(description)) : data.readUInt32LE(description);
  };
  const sourceOf = (description: number): string | undefined => {
    const file = valueAt(data, pcs + field(description, 4), 0);
    const at = units + 4 * (field(description, 7) + (file ?? Number.NaN));
    return at >= units && at + 4 <= files ? readString(data, files + data.readUInt32LE(at), pcs) : undefined;
  };
  return {
    layout,
    count,
    named(name) {
      const offset = data.subarray(names, units).indexOf(`\0${name}\0`, 0, 'latin1') + 1;
      const found: GoFunction[] = [];
      // A second one already says that the name settles nothing.
      for (let index = 0; offset > 0 && index < count && found.length < 2; index++) {
        if (index % LOOKS_AT_CLOCK_EVERY_FUNCTIONS === 0) elf.budget.checkTime();
        const description = entries.description(index);
        if (field(description, 0) !== offset || entryOf(description) !== entries.start(index)) continue;
        const bytes = entries.start(index + 1) - entries.start(index);
        if (bytes > MAX_FUNCTION_BYTES) continue;
        found.push({
          address: text + entries.start(index),
          bytes,
          source_file: sourceOf(description),
          frameBytesAt: (at) => valueAt(data, pcs + field(description, 3), at),
        });
      }
      return found;
    },
  };
}

function readString(data: Buffer, at: number, end: number): string | undefined {
  const terminator = data.subarray(0, Math.min(end, at + MAX_NAME_BYTES)).indexOf(0, at);
  return terminator < 0 ? undefined : data.toString('utf8', at, terminator);
}

/** The value of a table of pairs (zigzag difference of the value, bytes of code that have it) at an offset in the function. */
function valueAt(data: Buffer, table: number, offset: number): number | undefined {
  let value = -1;
  let code = 0;
  let at = table;
  const next = (): number => {
    let number = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = data[at++];
      if (byte === undefined) return Number.NaN;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number;
    }
    return Number.NaN;
  };
  for (let step = 0; step < MAX_STEPS; step++) {
    const difference = next();
    if (Number.isNaN(difference) || (difference === 0 && step > 0)) return undefined;
    value += difference % 2 === 1 ? -(difference + 1) / 2 : difference / 2;
    code += next();
    if (!(code >= 0)) return undefined;
    if (offset < code) return value;
  }
  return undefined;
}
