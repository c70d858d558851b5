import { boringssl } from './boringssl.ts';
import { goTls } from './go.ts';
import { opensslStatic } from './openssl-static.ts';
import { opensslSymbols } from './openssl-symbols.ts';
import { rustls } from './rustls.ts';
import type { TlsFamily } from './tls-family.ts';

/** In the order in which they are tried. */
export const TLS_FAMILIES: readonly TlsFamily[] = [opensslSymbols, goTls, opensslStatic, boringssl, rustls];
