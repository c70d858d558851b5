import { SetupError } from '../model/setup-error.ts';
import * as raw from './events.gen.ts';
import { hashLayout, readLayout } from './layout.ts';
import { BUILD_FIX } from './setup-fixes.ts';

/** Throws SetupError when the records of `object`, an ELF file, are not those that events.gen.ts reads. */
export function checkLayout(object: Buffer): void {
  const enums: string[] = [];
  const structs: string[] = [];
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'object') ('read' in value ? structs : enums).push(name);
  }
  let cause: unknown;
  try {
    if (hashLayout(readLayout(object, { enums, structs })) === raw.layout_hash) return;
  } catch (error) {
    cause = error;
  }
  throw new SetupError('The kernel programs were built from another version of this program', BUILD_FIX, { cause });
}
