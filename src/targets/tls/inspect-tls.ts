import type { TlsFamilyName } from '../../model/tls-library.ts';
import type { Elf } from '../elf.ts';
import { TOOK_TOO_LONG, TookTooLong } from '../read-budget.ts';
import { TLS_FAMILIES } from './tls-families.ts';
import type { TlsFamily, TlsLocation } from './tls-family.ts';

export interface FoundTls extends TlsLocation {
  readonly families: readonly TlsFamilyName[];
}

export interface TlsInspection {
  readonly found: FoundTls | undefined;
  /** What the families lack that were tried in vain, in that order. */
  readonly missing: readonly { readonly family: TlsFamilyName; readonly missing: string }[];
  /** Whether the file's budget was spent before all was looked at: what was not found may be there. */
  readonly isCut: boolean;
}

/**
 * Tries the families one after another. Once one has found its functions only those are tried that stand beside others.
 * `before`: what earlier families found. Throws what `fs.readSync` throws. Families
 * that the file's budget does not suffice for are said to have taken too long.
 */
export function inspectTls(elf: Elf, families: readonly TlsFamily[] = TLS_FAMILIES, before?: FoundTls): TlsInspection {
  const missing: { family: TlsFamilyName; missing: string }[] = [];
  let found: FoundTls | undefined;
  let isCut = false;
  for (const family of families) {
    const earlier = found ?? before;
    if (earlier !== undefined && (!family.besideOthers || isWhole(earlier))) continue;
    const location = locate(elf, family);
    if ('missing' in location) {
      isCut ||= location.missing === TOOK_TOO_LONG;
      if (location.missing !== '') missing.push({ family: family.name, missing: location.missing });
    } else found = joined(found, { families: [family.name], ...location });
  }
  return { found, missing, isCut };
}

function locate(elf: Elf, family: TlsFamily): ReturnType<TlsFamily['locate']> {
  try {
    elf.budget.checkTime();
    return family.locate(elf);
  } catch (error) {
    if (error instanceof TookTooLong) return { missing: error.message };
    throw error;
  }
}

/** Who lists a build says all there is to probe in it. */
const isWhole = ({ families }: FoundTls): boolean => families.includes('known-build');

/** What both found. */
export function joined(one: FoundTls | undefined, other: FoundTls | undefined): FoundTls | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    families: [...one.families, ...other.families],
    functions: [...one.functions, ...other.functions],
    evidence: [...one.evidence, ...other.evidence],
  };
}
