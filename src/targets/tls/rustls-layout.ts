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
  const copies = copiesOf(code.subarray(0, BEGINNING_BYTES), RDX);
  const accesses = findFieldAccesses(code, copies).filter(({ isWide }) => isWide);
  const early = accesses.filter(({ at }) => at < BEGINNING_BYTES);
  const tests = early.some((one) => one.displacement === 0 && (comparesWith(code, one, 0) || testsLoaded(code, one)));
  // What is done with several chunks may be laid apart from what is done with one.
  return tests && early.some((one) => takes(one, 16)) && accesses.some((one) => takes(one, 24));
}

const takes = ({ opcode, displacement }: FieldAccess, field: number): boolean =>
  displacement === field && (opcode === OPCODE_LOAD || opcode === OPCODE_SUBTRACT);

const comparesWith = (code: Buffer, { opcode, register, end }: FieldAccess, value: number): boolean =>
  opcode === OPCODE_IMMEDIATE && (register & 7) === COMPARE && code[end] === value;

/** mov r, [...]; test r, r. */
function testsLoaded(code: Buffer, { opcode, register, end }: FieldAccess): boolean {
  const number = register & 7;
  const test = Buffer.from([register > 7 ? 0x4d : 0x48, OPCODE_TEST, 0xc0 + number * 9]);
  return opcode === OPCODE_LOAD && code.subarray(end, end + IS_COMPARED_WITHIN_BYTES).includes(test);
}

/** Whether it asks if its message's length, [1], is at least this, as encryption adds so much in front and behind. */
export function takesSlice(code: Buffer, least_bytes: number): boolean {
  const beginning = code.subarray(0, BEGINNING_BYTES);
  const accesses = findFieldAccesses(beginning, copiesOf(beginning, RDX));
  return accesses
    .filter(({ isWide, displacement }) => isWide && displacement === 8)
    .some((one) => {
      // Below it, or above one less.
      return [least_bytes, least_bytes - 1].some(
        (value) => comparesWith(beginning, one, value) || comparesLoaded(beginning, one, value),
      );
    });
}

/** mov r, [...]; cmp r, value. */
function comparesLoaded(code: Buffer, { opcode, register, end }: FieldAccess, value: number): boolean {
  const compare = Buffer.from([0x48 + (register >> 3), OPCODE_IMMEDIATE, 0xf8 + (register & 7), value]);
  return opcode === OPCODE_LOAD && code.subarray(end, end + IS_COMPARED_WITHIN_BYTES).includes(compare);
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
