/**
 * TLS libraries in C whose functions are called as OpenSSL's are: connection, memory, length; the result is how much moved.
 * They are shared libraries, so exported names are all that is looked at.
 */
import type { TlsFamilyName, TlsFunctionName } from '../../model/tls-library.ts';
import { findFunctions } from '../elf-symbols.ts';
import type { TlsFamily } from './tls-family.ts';

/** The first is looked for before the others. */
const NAMES: Readonly<Partial<Record<TlsFamilyName, readonly TlsFunctionName[]>>> = {
  gnutls: [
    'gnutls_record_recv',
    'gnutls_record_recv_seq',
    'gnutls_record_send',
    'gnutls_record_send2',
    'gnutls_record_send_range',
    'gnutls_record_uncork',
    'gnutls_deinit',
  ],
  nspr: ['PR_Recv', 'PR_Read', 'PR_Send', 'PR_Write', 'PR_Close'],
  mbedtls: ['mbedtls_ssl_read', 'mbedtls_ssl_write', 'mbedtls_ssl_free'],
  wolfssl: ['wolfSSL_read', 'wolfSSL_write', 'wolfSSL_free'],
  s2n: ['s2n_recv', 's2n_send', 's2n_connection_free'],
};

export const symbolFamilies: readonly TlsFamily[] = Object.entries(NAMES).map(([name, functions]) => ({
  name: name as TlsFamilyName,
  readsCode: false,
  locate(elf) {
    const [first] = functions;
    const exported = { ...elf, sections: elf.sections.filter(({ name }) => name !== '.symtab') };
    if (first === undefined || findFunctions(exported, [first]).size === 0) return { missing: '' };
    const offsets = findFunctions(exported, functions);
    return {
      functions: functions.flatMap((name) => {
        const file_offset = offsets.get(name);
        return file_offset === undefined ? [] : [{ name, file_offset }];
      }),
      evidence: [...offsets.keys()].map((name) => `${name}: by its symbol`),
    };
  },
}));
