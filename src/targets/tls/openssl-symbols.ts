import type { TlsFunctionName } from '../../model/tls-library.ts';
import { type Elf, segmentAddress } from '../elf.ts';
import { findFunctions } from '../elf-symbols.ts';
import { findInner } from './openssl-inner.ts';
import type { TlsFamily } from './tls-family.ts';

const FUNCTIONS: readonly TlsFunctionName[] = [
  'SSL_read',
  'SSL_read_ex',
  'SSL_read_early_data',
  'SSL_write',
  'SSL_write_ex',
  'SSL_write_ex2',
  'SSL_write_early_data',
  'SSL_sendfile',
  'SSL_free',
];

/** Shared libraries, and executables that keep their symbols (Node.js): OpenSSL, LibreSSL, BoringSSL. */
export const opensslSymbols: TlsFamily = {
  name: 'openssl-symbols',
  readsCode: false,
  locate(elf) {
    const offsets = findFunctions(elf, FUNCTIONS);
    if (!offsets.has('SSL_read') && !offsets.has('SSL_write')) return { missing: 'no symbol SSL_read or SSL_write' };
    const inner = findInner(elf, addressesOf(elf, offsets));
    const replaced = new Set(inner.flatMap(({ replaces }) => replaces));
    const functions = [...offsets].map(([name, file_offset]) => ({ name, file_offset }));
    functions.sort((a, b) => FUNCTIONS.indexOf(a.name) - FUNCTIONS.indexOf(b.name));
    const kept = functions.filter(({ name }) => !replaced.has(name));
    return {
      functions: [...inner.map(({ name, file_offset }) => ({ name, file_offset })), ...kept],
      evidence: [...inner.map(({ evidence }) => evidence), ...kept.map(({ name }) => `${name}: by its symbol`)],
    };
  },
};

function addressesOf(elf: Elf, offsets: ReadonlyMap<TlsFunctionName, bigint>): Map<TlsFunctionName, number> {
  const addresses = new Map<TlsFunctionName, number>();
  for (const [name, offset] of offsets) {
    const address = segmentAddress(elf, offset);
    if (address !== undefined) addresses.set(name, address);
  }
  return addresses;
}
