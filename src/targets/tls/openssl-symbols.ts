import type { TlsFunctionName } from '../../model/tls-library.ts';
import { findFunctions } from '../elf-symbols.ts';
import type { TlsFamily } from './tls-family.ts';

const FUNCTIONS: readonly TlsFunctionName[] = ['SSL_read', 'SSL_read_ex', 'SSL_write', 'SSL_write_ex', 'SSL_free'];

/** Shared libraries, and executables that keep their symbols (Node.js). */
export const opensslSymbols: TlsFamily = {
  name: 'openssl-symbols',
  readsCode: false,
  locate(elf) {
    const offsets = findFunctions(elf, FUNCTIONS);
    if (!offsets.has('SSL_read') && !offsets.has('SSL_write')) return { missing: 'no symbol SSL_read or SSL_write' };
    const functions = [...offsets].map(([name, file_offset]) => ({ name, file_offset }));
    functions.sort((a, b) => FUNCTIONS.indexOf(a.name) - FUNCTIONS.indexOf(b.name));
    return { functions, evidence: functions.map(({ name }) => `${name}: by its symbol`) };
  },
};
