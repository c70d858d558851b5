import type { Elf } from '../elf.ts';
import { findFunctionsNamed } from '../elf-symbols.ts';
import { readFunctionCode } from './function-code.ts';
import { offsetOf, readEntry } from './function-entry.ts';
import type { FunctionTable } from './function-table.ts';
import type { TlsLocation } from './tls-family.ts';

/**
 * How rustc mangles `<T as rustls::crypto::cipher::MessageEncrypter>::encrypt`, in the older way and in the newer (rustc book,
 * "Symbol Mangling"). Names of closures in it end otherwise.
 */
const NAMES = [
  /\$u20\$as\$u20\$rustls\.\.crypto\.\.cipher\.\.Message(?:En|De)crypter\$GT\$7(en|de)crypt17h[0-9a-f]{16}E$/,
  /^_RNv(?=.*6rustls).*16Message(?:En|De)crypter7(en|de)crypt$/,
];
const MAX_FUNCTIONS = 48;

/** The functions of rustls in an executable that has symbols; undefined unless both directions are there. */
export function locateRustlsSymbols(elf: Elf, table: FunctionTable | undefined): TlsLocation | undefined {
  const names = findFunctionsNamed(
    elf,
    ['MessageEncrypter', 'MessageDecrypter'],
    (name) => whichOf(name) !== undefined,
  );
  const found = [...names].slice(0, MAX_FUNCTIONS).flatMap(([name, address]) => {
    const start = Number(address);
    if (readFunctionCode(elf, table, start) === undefined) return [];
    return { name: `rustls_${whichOf(name) ?? 'en'}crypt` as const, start };
  });
  if (new Set(found.map(({ name }) => name)).size < 2) return undefined;
  return {
    functions: found.map(({ name, start }) => ({ name, file_offset: offsetOf(elf, start) })),
    evidence: found.map(({ name, start }) => `${name}: by its symbol; begins ${readEntry(elf, start)}`),
  };
}

function whichOf(name: string): 'en' | 'de' | undefined {
  // These always fail.
  if (name.includes('InvalidMessage')) return undefined;
  for (const pattern of NAMES) {
    const which = pattern.exec(name)?.[1];
    if (which !== undefined) return which === 'en' ? 'en' : 'de';
  }
  return undefined;
}
