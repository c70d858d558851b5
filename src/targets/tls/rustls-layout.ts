/**
 * How rustls's record functions pass plaintext, told from their machine code. rustc promises no layout, and rustls changes its
 * structures: what is not seen to be read and written here must not be read by a probe. In rustls 0.23 (x86-64, src/crypto/cipher.rs):
 *
 *     encrypt(rdi = result, rsi = self, rdx = message, rcx = number): message[0] == 0: pointer [1], length [2]; else chunks [0] and
 *       their count [1], of whose bytes [2] to [3] are meant; content type in byte 32
 *     decrypt(rdi = result, rsi = self, rdx = message, rcx = number): message: pointer [0], length [1]; result: pointer [1],
 *       length [2], content type in byte 24
 */
import { copiesOf, type FieldAccess, findFieldAccesses, RDI, RDX } from './argument-use.ts';

/** Where a function still has its arguments. */
const BEGINNING_BYTES = 192;
const IS_COMPARED_WITHIN_BYTES = 24;
const RESULT_IS_WRITTEN_WITHIN_BYTES = 48;
const OPCODE_LOAD = 0x8b;
const OPCODE_STORE = 0x89;
const OPCODE_STORE_BYTE = 0x88;
const OPCODE_SUBTRACT = 0x2b;
const OPCODE_TEST = 0x85;
const OPCODE_IMMEDIATE = 0x83;
const COMPARE = 7;

/** Whether it takes its message's length as rustls 0.23 does: [2], or [3] - [2] where [0] is not 0. */
export function takesChunks(code: Buffer): boolean {
  const beginning = code.subarray(0, BEGINNING_BYTES);
  const accesses = findFieldAccesses(beginning, copiesOf(beginning, RDX)).filter(({ isWide }) => isWide);
  const reads = (displacement: number): boolean =>
    accesses.some(
      (one) => one.displacement === displacement && (one.opcode === OPCODE_LOAD || one.opcode === OPCODE_SUBTRACT),
    );
  const tests = accesses.some(
    (one) => one.displacement === 0 && (comparesWith(beginning, one, 0) || testsLoaded(beginning, one)),
  );
  return tests && reads(16) && reads(24);
}

const comparesWith = (code: Buffer, { opcode, register, end }: FieldAccess, value: number): boolean =>
  opcode === OPCODE_IMMEDIATE && (register & 7) === COMPARE && code[end] === value;

/** mov r, [...]; test r, r. */
function testsLoaded(code: Buffer, { opcode, register, end }: FieldAccess): boolean {
  const number = register & 7;
  const test = Buffer.from([register > 7 ? 0x4d : 0x48, OPCODE_TEST, 0xc0 + number * 9]);
  return opcode === OPCODE_LOAD && code.subarray(end, end + IS_COMPARED_WITHIN_BYTES).includes(test);
}

/** Whether it compares its message's length, [1], with that of what encryption adds in front and behind. */
export function takesSlice(code: Buffer, overhead_bytes: number): boolean {
  const beginning = code.subarray(0, BEGINNING_BYTES);
  return findFieldAccesses(beginning, copiesOf(beginning, RDX)).some((one) => {
    if (!one.isWide || one.displacement !== 8) return false;
    if (comparesWith(beginning, one, overhead_bytes)) return true;
    if (one.opcode !== OPCODE_LOAD) return false;
    const compare = Buffer.from([
      0x48 + (one.register >> 3),
      OPCODE_IMMEDIATE,
      0xf8 + (one.register & 7),
      overhead_bytes,
    ]);
    return beginning.subarray(one.end, one.end + IS_COMPARED_WITHIN_BYTES).includes(compare);
  });
}

/** Whether it writes a pointer and a length to [1] and [2] of its result, and a byte behind them: close to each other. */
export function returnsSlice(code: Buffer): boolean {
  return [...copiesOf(code.subarray(0, BEGINNING_BYTES), RDI)].some((base) => {
    const accesses = findFieldAccesses(code, new Set([base]));
    const stores = accesses.filter(({ opcode, isWide }) => opcode === OPCODE_STORE && isWide);
    const near = (one: FieldAccess, other: FieldAccess) =>
      Math.abs(one.at - other.at) <= RESULT_IS_WRITTEN_WITHIN_BYTES;
    return accesses.some(
      (byte) =>
        byte.opcode === OPCODE_STORE_BYTE &&
        byte.displacement === 24 &&
        [8, 16].every((offset) => stores.some((one) => one.displacement === offset && near(one, byte))),
    );
  });
}
