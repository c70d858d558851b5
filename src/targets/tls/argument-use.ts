/**
 * What x86-64 machine code does with the fields of a structure that an argument points to, without decoding it: bytes that only
 * look like such an instruction are possible, so nothing may rest on one of them alone. Encodings: Intel SDM volume 2, 2.1.
 */

/** Numbers of registers that hold arguments (System V x86-64 ABI, 3.2.3). */
export const RDX = 2;
export const RDI = 7;

const OPCODE_STORE = 0x89;
const NO_PREFIX = 0x40;

/** An instruction with an operand at `[base + displacement]`. */
export interface FieldAccess {
  readonly at: number;
  readonly opcode: number;
  /** Whether the operand has 64 bits, going by the prefix. */
  readonly isWide: boolean;
  /** The other operand's register, or what of the opcode stands in its place. */
  readonly register: number;
  readonly displacement: number;
  /** Where the instruction's immediate value would be. */
  readonly end: number;
}

/** The register itself and those it is copied to anywhere in this code. */
export function copiesOf(code: Buffer, register: number): ReadonlySet<number> {
  const copies = new Set([register]);
  for (let at = 0; at + 3 <= code.length; at++) {
    const [prefix, opcode, operands] = [code[at], code[at + 1], code[at + 2]] as [number, number, number];
    if ((prefix & 0xfa) !== 0x48 || opcode !== OPCODE_STORE || operands >> 6 !== 3) continue;
    if ((((prefix >> 2) & 1) << 3) + ((operands >> 3) & 7) === register)
      copies.add(((prefix & 1) << 3) + (operands & 7));
  }
  return copies;
}

/** All accesses in this code by way of these base registers, with a displacement of 0 or one byte. */
export function findFieldAccesses(code: Buffer, bases: ReadonlySet<number>): readonly FieldAccess[] {
  const found: FieldAccess[] = [];
  for (let at = 0; at + 2 < code.length; at++) {
    const access = readAccess(code, at);
    if (access !== undefined && bases.has(access.base)) found.push(access.access);
  }
  return found;
}

function readAccess(code: Buffer, at: number): { base: number; access: FieldAccess } | undefined {
  const before = code[at - 1] ?? 0;
  const prefix = before >> 4 === 4 ? before : NO_PREFIX;
  const operands = code[at + 1] as number;
  const mode = operands >> 6;
  // 5 without displacement is an address relative to the instruction.
  if (mode > 1 || (mode === 0 && (operands & 7) === 5)) return undefined;
  let end = at + 2;
  if ((operands & 7) === 4) {
    // Only the form without an index, which rsp and r12 need.
    if (code[end] !== 0x24) return undefined;
    end += 1;
  }
  const displacement = mode === 0 ? 0 : (code[end] ?? 0);
  return {
    base: ((prefix & 1) << 3) + (operands & 7),
    access: {
      at,
      opcode: code[at] as number,
      isWide: (prefix & 8) !== 0,
      register: (((prefix >> 2) & 1) << 3) + ((operands >> 3) & 7),
      displacement,
      end: end + mode,
    },
  };
}
