import { type Elf, fileOffset, readCode } from '../elf.ts';

/** How compiled functions begin: push, sub rsp, mov and test of arguments, cmp of a field, xor, the stack protector. */
const BEGINNINGS = [
  '5[0-7]',
  '415[0-7]',
  '4883ec',
  '4881ec',
  '4[189]8[59b]',
  '8[59b]',
  '48833?[bf]',
  '4883bf',
  '31',
  '48c7',
  'b[8-f]',
];
const PLAUSIBLE = new RegExp(`^(${BEGINNINGS.join('|')})`);
/** What may stand before a function: padding, or an instruction after which nothing follows. */
const PADDING = /(cc|90|c3|00|f4|0f0b|0f1f4[04]\w\w|e[89]\w{8}|eb\w\w)$/;

/**
 * Whether a probe may be put here: the bytes begin a function, and those before end one or pad. A probe elsewhere could
 * overwrite half an instruction, and end the process.
 */
export function isFunctionEntry(elf: Elf, address: number): boolean {
  const before = readCode(elf, address - 5, 5).toString('hex');
  return PADDING.test(before) && PLAUSIBLE.test(readEntry(elf, address).replace(/^f30f1efa/, ''));
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
