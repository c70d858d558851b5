/**
 * Where in a function's first instructions a probe costs least. The kernel carries out some instructions by itself (push,
 * nop, direct jumps and calls: arch/x86/kernel/uprobes.c); any other it has to single-step, at ten times the cost. A probe may
 * stand later than at the beginning as long as nothing before it moves the stack, writes memory or changes one of the first five
 * arguments: no function that is probed has more.
 * Encodings: Intel SDM volume 2; whatever is not known here ends the search.
 */

const LONGEST_SEARCH_BYTES = 32;
const RAX = 0;
const R9 = 9;
const R11 = 11;

/** Bytes to skip from the beginning of a function to the cheaper place; 0 when the beginning is as good as any that is known to be safe. */
export function cheapPlace(code: Buffer): number {
  for (let at = 0; at < Math.min(code.length, LONGEST_SEARCH_BYTES); ) {
    if (isCheap(code, at)) return at;
    const bytes = harmlessBytes(code, at);
    if (bytes === 0) return 0;
    at += bytes;
  }
  return 0;
}

/** push, nop, jcc, jmp, call: what `push_setup_ops` and `branch_setup_ops` take on. */
export function isCheap(code: Buffer, at = 0): boolean {
  const [first = 0, second = 0] = code.subarray(at, at + 2);
  if (first >= 0x50 && first <= 0x57) return true;
  if (first === 0x41 && second >= 0x50 && second <= 0x57) return true;
  if (first === 0x90 || first === 0xe8 || first === 0xe9 || first === 0xeb) return true;
  if (first >= 0x70 && first <= 0x7f) return true;
  return first === 0x0f && second >= 0x80 && second <= 0x8f;
}

/** The length of an instruction that reads what it likes and changes only flags, rax, r9, r10 or r11; 0 for any other. */
function harmlessBytes(code: Buffer, at: number): number {
  if (code.readUIntBE(at, Math.min(4, code.length - at)) === 0xf30f1efa) return 4; // endbr64
  const rex = ((code[at] ?? 0) & 0xf0) === 0x40 ? (code[at] as number) : 0;
  const opcodeAt = at + (rex === 0 ? 0 : 1);
  const opcode = code[opcodeAt];
  const modrm = code[opcodeAt + 1];
  if (opcode === undefined || modrm === undefined) return 0;
  const register = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  const isDirect = modrm >> 6 === 3;
  const operand = (modrm & 7) | ((rex & 1) << 3);
  const length = opcodeAt - at + 1 + operandBytes(code, opcodeAt + 1);
  if (length <= opcodeAt - at + 1) return 0;
  switch (opcode) {
    case 0x38: // cmp, 8 bits
    case 0x39: // cmp
    case 0x3a:
    case 0x3b:
    case 0x84: // test
    case 0x85:
      return length;
    case 0x31: // xor, only to clear a register
    case 0x33:
      return isDirect && isSpare(register) && register === operand ? length : 0;
    case 0x89: // mov to a register
      return isDirect && isSpare(operand) ? length : 0;
    case 0x8b: // mov from memory or a register
      return isSpare(register) ? length : 0;
    case 0x80: // cmp with a constant byte
    case 0x83:
      return (register & 7) === 7 ? length + 1 : 0;
    case 0xf6: // test with a constant byte
      return (register & 7) === 0 ? length + 1 : 0;
    default:
      return 0;
  }
}

const isSpare = (register: number): boolean => register === RAX || (register >= R9 && register <= R11);

/** ModR/M, SIB and displacement; 0 where memory is addressed in a way that is not known to be safe to step over. */
function operandBytes(code: Buffer, at: number): number {
  const modrm = code[at] as number;
  const mode = modrm >> 6;
  const operand = modrm & 7;
  if (mode === 3) return 1;
  const sib = operand === 4 ? 1 : 0;
  if (sib === 1) return 0;
  if (mode === 0) return operand === 5 ? 5 : 1;
  return mode === 1 ? 2 : 5;
}
