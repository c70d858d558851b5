/**
 * Passes over x86-64 machine code without decoding it: who loads certain addresses, and which addresses are called. Bytes
 * that only look like such an instruction are possible; nothing may rest on one of these facts alone.
 * Encodings: Intel SDM volume 2, LEA, MOV, CALL, JMP.
 */
import { codeSections, type Elf, readPieces } from '../elf.ts';

const MAX_CODE_BYTES = 1024 * 1024 * 1024;
const LONGEST_INSTRUCTION_BYTES = 16;
/** Real programs have some hundreds. */
const MAX_REFERENCES = 1024;
const OPCODE_LEA = 0x8d;
const OPCODE_MOV = 0xb8;
const OPCODE_CALL = 0xe8;
const OPCODE_JUMP = 0xe9;

export interface Reference {
  /** Address of the instruction. */
  readonly at: number;
  /** The address that it loads. */
  readonly target: number;
}

/** Where one of the wanted addresses is loaded: by `lea` relative to the instruction, in fixed code also by `mov`. */
export function scanReferences(elf: Elf, wanted: ReadonlySet<number>): readonly Reference[] {
  const references: Reference[] = [];
  if (wanted.size === 0) return references;
  const low = Math.min(...wanted);
  const high = Math.max(...wanted);
  const consider = (at: number, target: number) => {
    if (target < low || target > high || !wanted.has(target) || references.length >= MAX_REFERENCES) return;
    references.push({ at, target });
  };
  const movable = elf.isFixed ? [...wanted].filter((address) => address < 2 ** 32).map(toImmediate) : [];
  for (const { chunk, base, end } of readCodePieces(elf)) {
    for (let at = chunk.indexOf(OPCODE_LEA, 1); at >= 0 && at < end; at = chunk.indexOf(OPCODE_LEA, at + 1)) {
      const isRelative = ((chunk[at + 1] as number) & 0xc7) === 5 && isWide(chunk[at - 1]);
      if (isRelative) consider(base + at - 1, base + at + 6 + chunk.readInt32LE(at + 2));
    }
    for (const { address, bytes } of movable) {
      elf.budget.checkTime();
      for (let at = chunk.indexOf(bytes, 1); at >= 0; at = chunk.indexOf(bytes, at + 1)) {
        if (((chunk[at - 1] as number) & 0xf8) === OPCODE_MOV) consider(base + at - 1, address);
      }
    }
  }
  return references;
}

function toImmediate(address: number): { readonly address: number; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(address);
  return { address, bytes };
}

/** REX.W, with or without REX.R. */
const isWide = (prefix: number | undefined): boolean => prefix === 0x48 || prefix === 0x4c;

/** Which addresses direct calls lead to. Known only of multiples of 16, as compilers align functions. */
export function scanCallTargets(elf: Elf): (address: number) => boolean {
  const sections = codeSections(elf);
  const first = Math.min(...sections.map(({ address }) => address));
  const span = Math.max(...sections.map(({ address, bytes }) => address + bytes)) - first;
  if (!Number.isSafeInteger(first + span) || !(span > 0 && span <= MAX_CODE_BYTES)) return () => false;
  const called = new Uint8Array((span >> 7) + 1);
  for (const { chunk, base, end } of readCodePieces(elf)) {
    for (let at = chunk.indexOf(OPCODE_CALL); at >= 0 && at < end; at = chunk.indexOf(OPCODE_CALL, at + 1)) {
      const target = base - first + at + 5 + chunk.readInt32LE(at + 1);
      if (target < 0 || target >= span || ((target + first) & 15) !== 0) continue;
      called[target >> 7] = (called[target >> 7] as number) | (1 << ((target >> 4) & 7));
    }
  }
  return (address) => {
    const at = address - first;
    return (address & 15) === 0 && at >= 0 && at < span && ((called[at >> 7] ?? 0) & (1 << ((at >> 4) & 7))) !== 0;
  };
}

/** All code; `base` is the address of the piece, `end` where instructions may begin in it. */
function* readCodePieces(elf: Elf): Generator<{ chunk: Buffer; base: number; end: number }> {
  const options = { maxBytes: MAX_CODE_BYTES, overlap: LONGEST_INSTRUCTION_BYTES };
  for (const section of codeSections(elf)) {
    for (const { chunk, offset, isLast } of readPieces(elf, section, options)) {
      // A prefix may be the last byte of a piece: the first byte of the next one is looked at in both.
      const end = chunk.length - (isLast ? 5 : LONGEST_INSTRUCTION_BYTES - 1);
      yield { chunk, base: section.address + offset, end };
    }
  }
}

/** Addresses that the direct calls and jumps in a piece of code lead to, each with the place of the instruction in it. */
export function findBranches(
  code: Buffer,
  address: number,
): readonly { readonly at: number; readonly target: number }[] {
  const found: { at: number; target: number }[] = [];
  for (let at = 0; at + 5 <= code.length; at++) {
    if (code[at] !== OPCODE_CALL && code[at] !== OPCODE_JUMP) continue;
    found.push({ at, target: address + at + 5 + code.readInt32LE(at + 1) });
  }
  return found;
}
