import { type Elf, fileOffset, readCode } from '../elf.ts';

/** How compiled functions begin, after endbr64: push, sub rsp, mov and test of arguments, cmp of a field, xor, mov of a constant. */
const BEGINNINGS = [
  '5[0-7]',
  '415[0-7]',
  '488[13]ec',
  '4[19]8[9b]',
  '48(85|89|8b)',
  '8[59b]',
  '4883[37b]f',
  '31',
  'b[8-f]',
];
const PLAUSIBLE = new RegExp(`^(f30f1efa)?(${BEGINNINGS.join('|')})`);
/** What may stand before a function: padding (int3, nop, whose last byte may be 0), ret, hlt, ud2, a jump, a call without return. */
const PADDING = /(cc|90|00|c3|f4|0f0b|e[89]\w{8}|eb\w\w|ffe\w)$/;

/**
 * Whether a probe may be put here: the bytes begin a function, and those before end one or pad. A probe elsewhere could
 * overwrite half an instruction, and end the process.
 */
export function isFunctionEntry(elf: Elf, address: number): boolean {
  const before = readCode(elf, address - 5, 5).toString('hex');
  return PADDING.test(before) && PLAUSIBLE.test(readEntry(elf, address));
}

/** The first 12 bytes of a function as hex. */
export function readEntry(elf: Elf, address: number): string {
  return readCode(elf, address, 12).toString('hex');
}

/** The file offset of an address that has already been read from. */
export function offsetOf(elf: Elf, address: number): bigint {
  const offset = fileOffset(elf, BigInt(address));
  if (offset === undefined) throw new RangeError(`no code at ${address}`);
  return offset;
}
