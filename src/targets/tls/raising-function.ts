import { type Elf, readCode } from '../elf.ts';
import type { Reference } from './code-scan.ts';
import type { FunctionTable } from './function-table.ts';

const MAX_FUNCTION_BYTES = 8 * 1024;
const ALIGNMENT_BYTES = 16;
const PADDING_INT3 = 0xcc;
/** How far from the load of the file's name the other arguments are loaded. */
const ARGUMENT_BYTES = 24;
/** Reasons of ssl.h; those from 1000 on are alerts of the peer. */
const MAX_REASON = 400;
const MAX_LINE = 20_000;

/** Opcodes of `mov REGISTER, imm32`. */
const MOV_ECX = Buffer.from('b9', 'hex');
const MOV_EDX = Buffer.from('ba', 'hex');
const MOV_ESI = Buffer.from('be', 'hex');
const MOV_R8D = Buffer.from('41b8', 'hex');
/** The reason is the third argument; the second where the compiler dropped one that nobody reads. The line is two further. */
const ARGUMENTS = [
  { reason: MOV_EDX, line: MOV_R8D },
  { reason: MOV_ESI, line: MOV_ECX },
] as const;

/** A function that raises errors of a BoringSSL source file. */
export interface RaisingFunction {
  readonly start: number;
  readonly code: Buffer;
  /** Ascending. */
  readonly reasons: readonly number[];
  /** Of the source. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Whether a direct call leads to an address. */
export type IsCalled = (address: number) => boolean;

/** Where functions begin and end: by the unwind tables as far as there are any, else by which addresses are called. */
export interface Boundaries {
  readonly isCalled: IsCalled;
  readonly table: FunctionTable | undefined;
}

/** The functions around these references to the name of the source file. */
export function findRaising(
  elf: Elf,
  references: readonly Reference[],
  boundaries: Boundaries,
): readonly RaisingFunction[] {
  const sites = new Map<number, number[]>();
  for (const { at } of references) {
    const start = startOf(boundaries, at);
    if (start !== undefined) sites.set(start, [...(sites.get(start) ?? []), at - start]);
  }
  return [...sites].flatMap(([start, offsets]) => {
    const code = readFunction(elf, boundaries, start);
    const raised = offsets.filter((at) => at < code.length).flatMap((at) => readArguments(code, at) ?? []);
    const lines = raised.map(({ line }) => line);
    if (lines.length === 0) return [];
    return {
      start,
      code,
      reasons: [...new Set(raised.map(({ reason }) => reason))].sort((a, b) => a - b),
      firstLine: Math.min(...lines),
      lastLine: Math.max(...lines),
    };
  });
}

/** Where the function begins that has this address in it; undefined where that cannot be told. */
export function startOf({ isCalled, table }: Boundaries, address: number): number | undefined {
  return table?.containing(address)?.start ?? findStart(isCalled, address);
}

/** The nearest address before it that is called. */
function findStart(isCalled: IsCalled, address: number): number | undefined {
  const aligned = address - (address % ALIGNMENT_BYTES);
  for (let start = aligned; start > aligned - MAX_FUNCTION_BYTES; start -= ALIGNMENT_BYTES) {
    if (isCalled(start)) return start;
  }
  return undefined;
}

/** Up to the next function that is called, or to padding, after which one may follow that is only called through a pointer. */
export function readFunction(elf: Elf, { isCalled, table }: Boundaries, start: number): Buffer {
  const bounds = table?.containing(start);
  if (bounds?.start === start) return readCode(elf, start, Math.min(bounds.end - start, MAX_FUNCTION_BYTES));
  const code = readCode(elf, start, MAX_FUNCTION_BYTES);
  for (let at = ALIGNMENT_BYTES; at < code.length; at += ALIGNMENT_BYTES) {
    if (isCalled(start + at) || code[at - 1] === PADDING_INT3) return code.subarray(0, at);
  }
  return code;
}

/** What is loaded around the load of the file's name at `at`: after it if possible, for before it others may end. */
function readArguments(code: Buffer, at: number): { readonly reason: number; readonly line: number } | undefined {
  const after = code.subarray(at + 1, at + ARGUMENT_BYTES + 5);
  const before = code.subarray(Math.max(0, at - ARGUMENT_BYTES), at);
  for (const piece of [after, before]) {
    for (const argument of ARGUMENTS) {
      const reason = findImmediate(piece, argument.reason, MAX_REASON);
      const line = findImmediate(after, argument.line, MAX_LINE) ?? findImmediate(before, argument.line, MAX_LINE);
      if (reason !== undefined && line !== undefined) return { reason, line };
    }
  }
  return undefined;
}

/** The first value from 1 to `limit` that an instruction of this opcode loads. */
function findImmediate(code: Buffer, opcode: Buffer, limit: number): number | undefined {
  for (
    let at = code.indexOf(opcode);
    at >= 0 && at + opcode.length + 4 <= code.length;
    at = code.indexOf(opcode, at + 1)
  ) {
    const value = code.readUInt32LE(at + opcode.length);
    if (value > 0 && value <= limit) return value;
  }
  return undefined;
}
