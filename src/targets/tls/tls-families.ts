import type { TlsFamilyName } from '../../model/tls-library.ts';
import { boringssl } from './boringssl.ts';
import { goTls } from './go.ts';
import { knownBuild } from './known-build.ts';
import { opensslStatic } from './openssl-static.ts';
import { opensslSymbols } from './openssl-symbols.ts';
import { rustls } from './rustls.ts';
import { symbolFamilies } from './symbol-families.ts';
import type { TlsFamily } from './tls-family.ts';

/** In the order in which they are tried. */
export const TLS_FAMILIES: readonly TlsFamily[] = [
  knownBuild,
  opensslSymbols,
  ...symbolFamilies,
  goTls,
  opensslStatic,
  boringssl,
  rustls,
];

/** Whether a family settles on its functions by signs, so that their use has to confirm it; symbols and Go's table name them. */
export function isInferred(name: TlsFamilyName): boolean {
  return name === 'known-build' || TLS_FAMILIES.some((family) => family.name === name && family.readsCode);
}
