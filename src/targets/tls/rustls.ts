/**
 * rustls, linked into a Rust program with or without symbols, whichever library encrypts for it. Its record layer calls trait
 * objects, so that inlining cannot remove the functions, and their vtables stay (rustls 0.22 on, src/crypto/cipher.rs):
 *
 *     dyn MessageEncrypter  drop, size, align, encrypt, encrypted_payload_len
 *     dyn MessageDecrypter  drop, size, align, decrypt
 *
 * encrypted_payload_len adds 17 bytes (TLS 1.3), 16 (1.2, ChaCha20-Poly1305) or 24 (1.2, AES-GCM), and does nothing else. The
 * decrypter of the same cipher has the same drop and alignment, nearly the same size, and lies near.
 */
import type { Elf } from '../elf.ts';
import { readFunctionCode } from './function-code.ts';
import { offsetOf, readEntry } from './function-entry.ts';
import { type FunctionTable, readFunctionTable } from './function-table.ts';
import { readRelocatedData } from './relocated-data.ts';
import { returnsSlice, takesChunks, takesSlice } from './rustls-layout.ts';
import { locateRustlsSymbols } from './rustls-symbols.ts';
import { findRustlsSigns, type RustlsSigns } from './rustls-version.ts';
import type { TlsFamily } from './tls-family.ts';
import { findVtables, type Vtable } from './vtable-scan.ts';

const MACHINE_X86_64 = 62;
/** lea rax, [rsi + n]; ret, with or without a frame. */
const ADDS_OVERHEAD = /^(?:f30f1efa)?(?:554889e5)?488d46(10|11|18)(?:5d)?c3/;
const TLS_1_3_OVERHEAD_BYTES = 17;
/** A pointer to a key and the 12 bytes of an initialisation vector. */
const MIN_STATE_BYTES = 20;
const NEAR_BYTES = 64 * 8;
const MAX_SIZE_DIFFERENCE_BYTES = 16;
/** Real programs have up to 7. */
const MAX_ENCRYPTERS = 24;

export const rustls: TlsFamily = {
  name: 'rustls',
  readsCode: true,
  besideOthers: true,
  locate(elf) {
    if (elf.machine !== MACHINE_X86_64) return { missing: 'not x86-64 code, and no other is searched' };
    const signs = findRustlsSigns(elf);
    const named = describe(signs);
    if (named === undefined) return { missing: 'no source path or error text of rustls' };
    // In 0.21, 0.22 and 0.24 the same functions have other arguments and results.
    if (signs.versions.length > 0 && !signs.versions.some(is023))
      return { missing: `${named}, and 0.23 alone is known` };
    const vtables = [...findVtables(elf, readRelocatedData(elf), 2)];
    const encrypters = vtables.flatMap((one) => toEncrypter(elf, one) ?? []).slice(0, MAX_ENCRYPTERS);
    const table = readFunctionTable(elf);
    if (encrypters.length === 0) {
      // The compiler was not to optimise: what adds the overhead calls others to do so.
      const bySymbols = isAlone(signs) ? locateRustlsSymbols(elf, table) : undefined;
      return (
        bySymbols ?? { missing: `${named}, no vtable of a MessageEncrypter${isAlone(signs) ? ' and no symbols' : ''}` }
      );
    }
    const found = new Map<number, FoundFunction>();
    let complete = 0;
    for (const encrypter of encrypters) {
      const functions = findRecordFunctions(elf, table, vtables, encrypter, signs);
      if (functions.length > 0) complete += 1;
      for (const one of functions) found.set(one.start, one);
    }
    const tables = `${complete} of ${encrypters.length} vtables of a MessageEncrypter`;
    if (complete === 0) return { missing: `${named}, ${tables} that pass plaintext as rustls 0.23 does` };
    return {
      functions: [...found.values()].map(({ name, start }) => ({ name, file_offset: offsetOf(elf, start) })),
      evidence: [
        `${named}; ${tables} that pass plaintext as rustls 0.23 does, each with its MessageDecrypter`,
        ...[...found.values()].map(
          ({ name, start, evidence }) => `${name}: ${evidence}; begins ${readEntry(elf, start)}`,
        ),
      ],
    };
  },
};

const is023 = (version: string): boolean => version.startsWith('0.23.');

/** Whether there is no other version. */
const isAlone = ({ versions }: RustlsSigns): boolean => versions.length > 0 && versions.every(is023);

/** Whether others are older, whose messages are passed otherwise. */
const isNewest = ({ versions }: RustlsSigns): boolean =>
  versions.some(is023) && versions.every((version) => is023(version) || /^0\.(1?\d|2[0-2])\./.test(version));

function describe({ versions, hasErrorText }: RustlsSigns): string | undefined {
  if (versions.length > 0) return `source paths of rustls ${versions.join(', ')}`;
  return hasErrorText ? 'an error text of rustls' : undefined;
}

interface Encrypter extends Vtable {
  readonly encrypt: number;
  readonly overhead_bytes: number;
}

function toEncrypter(elf: Elf, vtable: Vtable): Encrypter | undefined {
  const [encrypt, addOverhead] = vtable.methods;
  if (encrypt === undefined || addOverhead === undefined || vtable.size_bytes < MIN_STATE_BYTES) return undefined;
  const added = ADDS_OVERHEAD.exec(readEntry(elf, addOverhead))?.[1];
  return added === undefined ? undefined : { ...vtable, encrypt, overhead_bytes: Number.parseInt(added, 16) };
}

interface FoundFunction {
  readonly name: 'rustls_encrypt' | 'rustls_decrypt';
  readonly start: number;
  readonly evidence: string;
}

/** The method that encrypts and those that decrypt what it does; none unless there are both. */
function findRecordFunctions(
  elf: Elf,
  table: FunctionTable | undefined,
  vtables: readonly Vtable[],
  encrypter: Encrypter,
  signs: RustlsSigns,
): readonly FoundFunction[] {
  const { encrypt, overhead_bytes } = encrypter;
  const code = readFunctionCode(elf, table, encrypt);
  if (code === undefined || !takesChunks(code)) return [];
  const isTls13 = overhead_bytes === TLS_1_3_OVERHEAD_BYTES;
  const least = isTls13 ? overhead_bytes - 1 : overhead_bytes;
  const protocol = `TLS ${isTls13 ? '1.3' : '1.2'}, ${encrypter.size_bytes} bytes of state`;
  const decrypters = vtables.flatMap((one): FoundFunction | [] => {
    const start = one.methods[0] as number;
    const code = isCompanion(encrypter, one) ? readFunctionCode(elf, table, start) : undefined;
    if (code === undefined || !takesSlice(code, least)) return [];
    const isSeen = returnsSlice(code);
    if (!isSeen && !(isNewest(signs) && one.drop === encrypter.drop)) return [];
    const returns = isSeen ? 'writes a slice to its result' : 'is near, and dropped alike';
    return {
      name: 'rustls_decrypt',
      start,
      evidence: `${protocol}, takes a slice of ${least} bytes or more, ${returns}`,
    };
  });
  if (decrypters.length === 0) return [];
  const evidence = `${protocol}, takes chunks, is followed by what adds ${overhead_bytes} bytes`;
  return [{ name: 'rustls_encrypt', start: encrypt, evidence }, ...decrypters];
}

/** Drops that do the same are not always the same function. */
const isCompanion = (encrypter: Encrypter, { address, drop, align_bytes, size_bytes }: Vtable): boolean =>
  address !== encrypter.address &&
  Math.abs(address - encrypter.address) <= NEAR_BYTES &&
  (drop === 0) === (encrypter.drop === 0) &&
  align_bytes === encrypter.align_bytes &&
  Math.abs(size_bytes - encrypter.size_bytes) <= MAX_SIZE_DIFFERENCE_BYTES;
