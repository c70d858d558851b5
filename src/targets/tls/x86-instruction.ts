/**
 * Where one x86-64 instruction ends and the next begins, and where direct jumps lead: no more. Refuses what it does not know,
 * and what 64-bit code does not have. Encodings: Intel SDM volume 2, chapter 2 and appendix A (opcode maps).
 */

export interface X86Instruction {
  readonly bytes: number;
  /** Opcode without prefixes; 0x0f00 and more for the two-byte map, 0x10000 for every other map. */
  readonly opcode: number;
  /** Of a direct jump (not call): where it leads, as an offset like `at`. */
  readonly jump: number | undefined;
}

const OTHER_MAP = 0x10000;
const MAX_BYTES = 15;

/** What follows an opcode: M a ModRM byte, the digits bytes of constants, z a constant of the operand's size up to 4, v up to 8. */
type Operands = '' | '1' | '2' | '3' | 'z' | 'v' | 'M' | 'M1' | 'Mz' | 'T1' | 'Tz' | 'j1' | 'j4';

/** `T1` and `Tz`: the constant is there only when the ModRM byte says TEST. */
const ONE_BYTE = toTable([
  ...[0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38].flatMap((first): Row[] => [
    [first, first + 3, 'M'],
    [first + 4, first + 4, '1'],
    [first + 5, first + 5, 'z'],
  ]),
  [0x50, 0x5f, ''],
  [0x63, 0x63, 'M'],
  [0x68, 0x68, 'z'],
  [0x69, 0x69, 'Mz'],
  [0x6a, 0x6a, '1'],
  [0x6b, 0x6b, 'M1'],
  [0x70, 0x7f, 'j1'],
  [0x80, 0x80, 'M1'],
  [0x81, 0x81, 'Mz'],
  [0x83, 0x83, 'M1'],
  [0x84, 0x8f, 'M'],
  [0x90, 0x99, ''],
  [0x9b, 0x9f, ''],
  [0xa4, 0xa7, ''],
  [0xa8, 0xa8, '1'],
  [0xa9, 0xa9, 'z'],
  [0xaa, 0xaf, ''],
  [0xb0, 0xb7, '1'],
  [0xb8, 0xbf, 'v'],
  [0xc0, 0xc1, 'M1'],
  [0xc2, 0xc2, '2'],
  [0xc3, 0xc3, ''],
  [0xc6, 0xc6, 'M1'],
  [0xc7, 0xc7, 'Mz'],
  [0xc8, 0xc8, '3'],
  [0xc9, 0xc9, ''],
  [0xcc, 0xcc, ''],
  [0xcd, 0xcd, '1'],
  [0xd0, 0xd3, 'M'],
  [0xd8, 0xdf, 'M'],
  [0xe0, 0xe3, 'j1'],
  [0xe8, 0xe9, 'j4'],
  [0xeb, 0xeb, 'j1'],
  [0xf4, 0xf5, ''],
  [0xf6, 0xf6, 'T1'],
  [0xf7, 0xf7, 'Tz'],
  [0xf8, 0xfd, ''],
  [0xfe, 0xff, 'M'],
]);

const TWO_BYTES = toTable([
  [0x00, 0x03, 'M'],
  [0x05, 0x06, ''],
  [0x08, 0x09, ''],
  [0x0b, 0x0b, ''],
  [0x0d, 0x0d, 'M'],
  [0x10, 0x1f, 'M'],
  [0x28, 0x2f, 'M'],
  [0x30, 0x33, ''],
  [0x40, 0x6f, 'M'],
  [0x70, 0x73, 'M1'],
  [0x74, 0x76, 'M'],
  [0x77, 0x77, ''],
  [0x7c, 0x7f, 'M'],
  [0x80, 0x8f, 'j4'],
  [0x90, 0x9f, 'M'],
  [0xa0, 0xa2, ''],
  [0xa3, 0xa3, 'M'],
  [0xa4, 0xa4, 'M1'],
  [0xa5, 0xa5, 'M'],
  [0xa8, 0xa9, ''],
  [0xab, 0xab, 'M'],
  [0xac, 0xac, 'M1'],
  [0xad, 0xb9, 'M'],
  [0xba, 0xba, 'M1'],
  [0xbb, 0xc1, 'M'],
  [0xc2, 0xc2, 'M1'],
  [0xc3, 0xc3, 'M'],
  [0xc4, 0xc6, 'M1'],
  [0xc7, 0xc7, 'M'],
  [0xc8, 0xcf, ''],
  [0xd0, 0xfe, 'M'],
]);

type Row = readonly [first: number, last: number, operands: Operands];

function toTable(rows: readonly Row[]): readonly (Operands | undefined)[] {
  const table: (Operands | undefined)[] = new Array(256).fill(undefined);
  for (const [first, last, operands] of rows) table.fill(operands, first, last + 1);
  return table;
}

/** The instruction at `at`; undefined where it is unknown, or not whole. */
export function readInstruction(code: Buffer, at: number): X86Instruction | undefined {
  let position = at;
  let isShort = false;
  while (isPrefix(code[position])) {
    isShort ||= code[position] === 0x66;
    // Addresses of 32 bits have displacements of the same size, and no constant depends on them but those that are unknown.
    position += 1;
  }
  let rex = 0;
  if (((code[position] ?? 0) & 0xf0) === 0x40) rex = code[position++] as number;
  const first = code[position++];
  if (first === undefined) return undefined;
  let opcode: number = first;
  let operands: Operands | undefined;
  if (first === 0x0f) {
    const second = code[position++];
    if (second === undefined) return undefined;
    if (second === 0x38 || second === 0x3a) {
      opcode = OTHER_MAP;
      operands = second === 0x38 ? 'M' : 'M1';
      position += 1;
    } else {
      opcode = 0x0f00 | second;
      operands = TWO_BYTES[second];
    }
  } else if (first === 0xc4 || first === 0xc5 || first === 0x62) {
    if (rex !== 0) return undefined;
    const map = first === 0xc5 ? 1 : (code[position] ?? 0) & (first === 0xc4 ? 0x1f : 0x07);
    position += { 197: 1, 196: 2, 98: 3 }[first];
    opcode = OTHER_MAP;
    operands = operandsOfVector(map, code[position++]);
  } else {
    operands = ONE_BYTE[first];
  }
  if (operands === undefined || (first === 0x8f && ((code[position] ?? 0) & 0x38) !== 0)) return undefined;
  if (isShort && operands.startsWith('j')) return undefined;
  const end = endOfOperands(code, position, operands, { isShort, isWide: (rex & 8) !== 0 });
  if (end === undefined || end > code.length || end - at > MAX_BYTES) return undefined;
  return { bytes: end - at, opcode, jump: opcode === 0xe8 ? undefined : targetOf(code, operands, end) };
}

/** LOCK, REPNE, REP, segments, operand size, address size. */
const isPrefix = (byte: number | undefined): boolean =>
  byte === 0x66 || byte === 0x67 || byte === 0xf0 || byte === 0xf2 || byte === 0xf3 || isSegment(byte);
const isSegment = (byte: number | undefined): boolean =>
  byte === 0x26 || byte === 0x2e || byte === 0x36 || byte === 0x3e || byte === 0x64 || byte === 0x65;

/** Of VEX and EVEX instructions, by the number of their opcode map. */
function operandsOfVector(map: number, opcode: number | undefined): Operands | undefined {
  if (opcode === undefined) return undefined;
  if (map === 1 && opcode === 0x77) return '';
  if (map === 1)
    return (opcode >= 0x70 && opcode <= 0x73) || opcode === 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6) ? 'M1' : 'M';
  if (map === 2) return 'M';
  return map === 3 ? 'M1' : undefined;
}

interface OperandSize {
  readonly isShort: boolean;
  readonly isWide: boolean;
}

function endOfOperands(code: Buffer, at: number, operands: Operands, size: OperandSize): number | undefined {
  const constantBytes = size.isShort && !size.isWide ? 2 : 4;
  const hasModrm = operands.startsWith('M') || operands.startsWith('T');
  const position = hasModrm ? endOfModrm(code, at) : at;
  if (position === undefined) return undefined;
  if (operands.startsWith('T') && ((code[at] as number) & 0x30) !== 0) return position;
  switch (operands.at(-1)) {
    case '1':
      return position + 1;
    case '2':
      return position + 2;
    case '3':
      return position + 3;
    case '4':
      return position + 4;
    case 'z':
      return position + constantBytes;
    case 'v':
      return position + (size.isWide ? 8 : constantBytes);
    default:
      return position;
  }
}

function endOfModrm(code: Buffer, at: number): number | undefined {
  const modrm = code[at];
  if (modrm === undefined) return undefined;
  const mode = modrm >> 6;
  const base = modrm & 7;
  if (mode === 3) return at + 1;
  const sib = base === 4 ? code[at + 1] : undefined;
  const end = at + (base === 4 ? 2 : 1);
  if (mode === 1) return end + 1;
  if (mode === 2) return end + 4;
  return base === 5 || (sib !== undefined && (sib & 7) === 5) ? end + 4 : end;
}

function targetOf(code: Buffer, operands: Operands, end: number): number | undefined {
  if (operands === 'j1') return end + code.readInt8(end - 1);
  return operands === 'j4' ? end + code.readInt32LE(end - 4) : undefined;
}
