import { type Elf, readCode } from '../elf.ts';
import { isFunctionEntry } from './function-entry.ts';
import type { FunctionTable } from './function-table.ts';

const MAX_FUNCTION_BYTES = 4096;

/**
 * The code of the function that begins here, or the beginning of it; undefined where none does: in the middle of one that the
 * unwind table knows, or where the bytes do not look like a beginning that the table leaves out.
 */
export function readFunctionCode(elf: Elf, table: FunctionTable | undefined, start: number): Buffer | undefined {
  const bounds = table?.containing(start);
  if (bounds === undefined ? !isFunctionEntry(elf, start) : bounds.start !== start) return undefined;
  const code = readCode(elf, start, Math.min((bounds?.end ?? Infinity) - start, MAX_FUNCTION_BYTES));
  return code.length > 0 ? code : undefined;
}
