import type { TlsFamilyName, TlsFunction } from '../../model/tls-library.ts';
import type { Elf } from '../elf.ts';

export interface TlsLocation {
  readonly functions: readonly TlsFunction[];
  /** For people: what each function was known by. */
  readonly evidence: readonly string[];
}

/** A way to find TLS functions in a file. */
export interface TlsFamily {
  readonly name: TlsFamilyName;
  /** Whether it may have to read all of the code: up to a second for the largest files. */
  readonly readsCode: boolean;
  /** Whether it is also tried in files in which another family found its functions: an executable may hold both. */
  readonly besideOthers?: boolean;
  /** Where they are, or what is missing ('' is not worth a word). A wrong place would kill the process that is watched: in doubt, none. */
  locate(elf: Elf): TlsLocation | { readonly missing: string };
}
