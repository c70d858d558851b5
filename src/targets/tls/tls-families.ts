import { boringssl } from './boringssl.ts';
import { opensslStatic } from './openssl-static.ts';
import { opensslSymbols } from './openssl-symbols.ts';
import { symbolFamilies } from './symbol-families.ts';
import type { TlsFamily } from './tls-family.ts';

/** In the order in which they are tried. */
export const TLS_FAMILIES: readonly TlsFamily[] = [opensslSymbols, ...symbolFamilies, opensslStatic, boringssl];
