import type { TlsFamilyName } from '../../model/tls-library.ts';
import type { Elf } from '../elf.ts';
import { TLS_FAMILIES } from './tls-families.ts';
import type { TlsFamily, TlsLocation } from './tls-family.ts';

export interface FoundTls extends TlsLocation {
  readonly family: TlsFamilyName;
}

export interface TlsInspection {
  readonly found: FoundTls | undefined;
  /** What the families lack that were tried in vain, in that order. */
  readonly missing: readonly { readonly family: TlsFamilyName; readonly missing: string }[];
}

/** Tries the families one after another, up to the first that finds its functions. Throws what `fs.readSync` throws. */
export function inspectTls(elf: Elf, families: readonly TlsFamily[] = TLS_FAMILIES): TlsInspection {
  const missing: { family: TlsFamilyName; missing: string }[] = [];
  for (const family of families) {
    const location = family.locate(elf);
    if (!('missing' in location)) return { found: { family: family.name, ...location }, missing };
    if (location.missing !== '') missing.push({ family: family.name, missing: location.missing });
  }
  return { found: undefined, missing };
}
