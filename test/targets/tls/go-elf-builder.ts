/** Small x86-64 ELF executables as Go's linker makes them: code, a function table, the version. */

export interface GoBuiltFunction {
  readonly name: string;
  readonly file: string;
  /** Hex. */
  readonly code: string;
  /** How far the stack pointer is from the return address, and for how many bytes of code. */
  readonly frames: readonly (readonly [value: number, bytes: number])[];
}

export interface GoElfPlan {
  readonly version: string;
  /** Since which Go 1.N the table is laid out so. */
  readonly layout: 16 | 18 | 20;
  readonly functions: readonly GoBuiltFunction[];
  /** Whether the table says where the text begins, as it did up to Go 1.25. */
  readonly saysTextStart?: boolean;
  /** Code of another language before Go's. */
  readonly foreignBytes?: number;
  /** By default the one that Go's own linker gives it. */
  readonly tableSection?: string;
  readonly machine?: number;
}

export interface GoBuiltElf {
  readonly bytes: Buffer;
  /** File offset of the first function of this name. */
  offsetOf(name: string): bigint;
}

const BASE = 0x400000;
const TEXT_AT = 0x1000;
const MAGIC = { 16: 0xfffffffa, 18: 0xfffffff0, 20: 0xfffffff1 } as const;
const align = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
const words = (...values: readonly number[]): Buffer => Buffer.from(BigUint64Array.from(values, BigInt).buffer);
const halves = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

export function buildGoElf(plan: GoElfPlan): GoBuiltElf {
  const { functions, foreignBytes = 0, machine = 62, tableSection = '.gopclntab' } = plan;
  const starts: number[] = [];
  let end = 0;
  for (const { code } of functions) {
    starts.push(end);
    end = align(end + code.length / 2, 32);
  }
  const text = Buffer.alloc(foreignBytes + end, 0xcc);
  functions.forEach(({ code }, index) => {
    text.write(code, foreignBytes + (starts[index] as number), 'hex');
  });
  const table = buildTable(plan, starts, end, BASE + TEXT_AT + foreignBytes);
  const contents = [
    { name: '', bytes: Buffer.alloc(0), type: 0, flags: 0 },
    { name: '.text', bytes: text, type: 1, flags: 6 },
    { name: tableSection, bytes: table, type: 1, flags: 2 },
    { name: '.go.buildinfo', bytes: buildInfo(plan.version), type: 1, flags: 3 },
    { name: '.shstrtab', bytes: Buffer.alloc(0), type: 3, flags: 0 },
  ];
  const names = Buffer.from(contents.map(({ name }) => `${name}\0`).join(''));
  (contents.at(-1) as (typeof contents)[number]).bytes = names;
  let at = TEXT_AT;
  const sections = contents.map((content) => {
    const section = { ...content, at };
    at = align(at + content.bytes.length, 64);
    return section;
  });
  const bytes = Buffer.alloc(at + 64 * sections.length);
  writeHeader(bytes, machine, at, sections.length);
  const textEnd = TEXT_AT + text.length;
  Buffer.concat([halves(1, 5), words(0, BASE, BASE, textEnd, textEnd, 0x1000)]).copy(bytes, 64);
  sections.forEach(({ name, type, flags, at: offset, bytes: content }, index) => {
    content.copy(bytes, offset);
    const nameAt = index === 0 ? 0 : names.indexOf(`\0${name}\0`) + 1;
    const place = [flags, BASE + offset, offset, content.length, 0, 16, 0];
    Buffer.concat([halves(nameAt, type), words(...place)]).copy(bytes, at + 64 * index);
  });
  return {
    bytes,
    offsetOf: (name) =>
      BigInt(TEXT_AT + foreignBytes + (starts[functions.findIndex((one) => one.name === name)] as number)),
  };
}

function writeHeader(bytes: Buffer, machine: number, sectionsAt: number, count: number): void {
  bytes.write('7f454c46020101', 0, 'hex');
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(BigInt(sectionsAt), 40);
  [64, 56, 1, 64, count, count - 1].forEach((value, index) => {
    bytes.writeUInt16LE(value, 52 + 2 * index);
  });
}

/** As since Go 1.18: the version lies in it. */
function buildInfo(version: string): Buffer {
  const header = Buffer.alloc(32);
  header.write('\xff Go buildinf:\x08\x02', 'latin1');
  return Buffer.concat([header, Buffer.from([version.length]), Buffer.from(version), Buffer.alloc(64)]);
}

function buildTable(
  { functions, layout, saysTextStart = true }: GoElfPlan,
  starts: number[],
  end: number,
  text: number,
) {
  const isOldest = layout === 16;
  const distinct = [...new Set(functions.map(({ name }) => name))];
  const names = Buffer.from(`\0${distinct.join('\0')}\0`);
  const files = Buffer.from(functions.map(({ file }) => `${file}\0`).join(''));
  const units = functions.map((_, index) =>
    functions.slice(0, index).reduce((sum, one) => sum + one.file.length + 1, 0),
  );
  let pcs = Buffer.alloc(1);
  const append = (table: Buffer): number => {
    pcs = Buffer.concat([pcs, table]);
    return pcs.length - table.length;
  };
  const width = isOldest ? 8 : 4;
  const pack = isOldest ? words : halves;
  const index: Buffer[] = [];
  const descriptions: Buffer[] = [];
  let at = (2 * functions.length + 1) * width;
  functions.forEach(({ name, code, frames }, number) => {
    const entry = (starts[number] as number) + (isOldest ? text : 0);
    const frameTable = append(pairs(frames));
    const fileTable = append(pairs([[0, code.length / 2]]));
    const fields = halves(names.indexOf(`\0${name}\0`) + 1, 0, 0, frameTable, fileTable, 0, 0, number, 0, 0);
    const description = Buffer.concat([pack(entry), fields]);
    index.push(pack(entry, at));
    descriptions.push(description);
    at += description.length;
  });
  index.push(pack(end + (isOldest ? text : 0)));
  const parts = [names, halves(...units), files, pcs, Buffer.concat([...index, ...descriptions])];
  const header = Buffer.alloc(8);
  header.writeUInt32LE(MAGIC[layout]);
  header[6] = 1;
  header[7] = 8;
  let offset = 8 + 8 * (isOldest ? 7 : 8);
  const offsets = parts.map((part) => {
    offset += part.length;
    return offset - part.length;
  });
  const textStart = isOldest ? [] : [saysTextStart ? text : 0];
  return Buffer.concat([header, words(functions.length, functions.length, ...textStart, ...offsets), ...parts]);
}

/** Pairs of a zigzag difference and a number of bytes, from -1 on; small numbers alone. */
function pairs(values: readonly (readonly [value: number, bytes: number])[]): Buffer {
  let before = -1;
  const bytes = values.flatMap(([value, length]) => {
    const difference = value - before;
    before = value;
    return [difference < 0 ? -2 * difference - 1 : 2 * difference, length];
  });
  return Buffer.from([...bytes, 0]);
}
