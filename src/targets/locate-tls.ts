import fs from 'node:fs';
import path from 'node:path';
import { identityOf, versionOf } from '../model/file-identity.ts';
import type { TlsFunction, TlsLibrary } from '../model/tls-library.ts';
import { type Elf, readBuildId, readElf } from './elf.ts';
import { type FoundTls, inspectTls, joined, type TlsInspection } from './tls/inspect-tls.ts';
import { createLocationCache, type LocationCache, locationCachePath } from './tls/location-cache.ts';
import { placeProbes } from './tls/place-probes.ts';
import { isInferred, TLS_FAMILIES } from './tls/tls-families.ts';

const QUICK = TLS_FAMILIES.filter(({ readsCode }) => !readsCode);
const SLOW = TLS_FAMILIES.filter(({ readsCode }) => readsCode);
/** What is smaller is searched in less time than it takes to keep the answer. */
const MIN_KEPT_BYTES = 8 * 1024 * 1024;
const MAX_REMEMBERED = 1024;
const REFUSED_FOR_MS = 24 * 60 * 60 * 1000;
const remembered = new Map<string, Answer>();

interface Answer {
  readonly library: TlsLibrary | undefined;
  /** In words, where there is none. */
  readonly missing: string | undefined;
  /** By the clock of the process; for good by default. */
  readonly until_ms?: number;
}

/**
 * Where the TLS functions of a shared library or executable are, or undefined where there is none to probe (not ELF, none
 * found, unreadable). Answers are remembered per file as it is; those that took long also on disk.
 */
export function locateTls(file: string): TlsLibrary | undefined {
  const library = answerFor(file)?.library;
  return library && { ...library, path: file };
}

/** Why `locateTls` finds nothing in a file, in words; undefined where it does, or where the file cannot be looked into. */
export function missingTls(file: string): string | undefined {
  return answerFor(file)?.missing;
}

/** Names a file as it is now, whatever its paths; undefined when it is gone. */
export function fileKeyOf(file: string): string | undefined {
  try {
    return identityOf(fs.statSync(file, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** As `missingTls`, from memory alone: the file may be gone. '' where functions were found, undefined where nothing is remembered. */
export function rememberedMissing(fileKey: string): string | undefined {
  const known = remembered.get(fileKey);
  return known && (known.missing ?? '');
}

function answerFor(file: string): Answer | undefined {
  let fd: number;
  try {
    // A FIFO in place of a library must not hold us.
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fs.fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return undefined;
    const key = identityOf(stat);
    const known = remembered.get(key);
    if (known !== undefined && performance.now() < (known.until_ms ?? Infinity)) return known;
    const elf = readElf(fd);
    const { found, missing } = elf === undefined ? NO_ELF : findTls(elf, stat);
    const library = elf &&
      found && {
        ...found,
        functions: placeProbes(elf, found.functions),
        path: file,
        device: stat.dev,
        inode: stat.ino,
        version: versionOf(stat),
        build_id: readBuildId(elf),
      };
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    const answer = { library, missing: library === undefined ? missing : undefined };
    remembered.set(key, answer);
    return answer;
  } catch {
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

interface Search {
  readonly found: FoundTls | undefined;
  readonly missing: string;
}

const NO_ELF: Search = { found: undefined, missing: 'its program is no 64-bit ELF file' };
let cache: LocationCache | undefined;

function openCache(): LocationCache {
  cache ??= createLocationCache(locationCachePath(process.env, process.getuid?.()));
  return cache;
}

function findTls(elf: Elf, stat: fs.BigIntStats): Search {
  const quick = inspectTls(elf, QUICK);
  if (quick.found?.families.some(isInferred)) {
    const refusal = openCache().readRefusal(stat, quick.found.functions);
    if (refusal !== undefined) return { found: undefined, missing: describeRefusal(refusal) };
  }
  const slow = findSlowly(elf, stat, quick.found);
  const refusal = slow.found === undefined ? openCache().readRefusal(stat, undefined) : undefined;
  const lacking = [describeMissing(quick), slow.missing].filter((text) => text !== '').join('; ');
  return {
    found: joined(quick.found, slow.found),
    missing: refusal === undefined ? `no TLS library that is known (${lacking})` : describeRefusal(refusal),
  };
}

const describeRefusal = (reason: string): string => `its functions turned out to be others: ${reason}`;

const describeMissing = ({ missing }: TlsInspection): string =>
  missing.map((one) => `${one.family}: ${one.missing}`).join('; ');

function findSlowly(elf: Elf, stat: fs.BigIntStats, quick: FoundTls | undefined): Search {
  const known = openCache().read(elf, stat);
  if (known !== undefined) return { found: known ?? undefined, missing: 'found in no code when it was last searched' };
  const inspection = inspectTls(elf, SLOW, quick);
  const { found, isCut } = inspection;
  if (stat.size >= MIN_KEPT_BYTES && !isCut) openCache().write(elf, stat, found ?? null);
  return { found, missing: describeMissing(inspection) };
}

/** Remembers for a day, here and on disk, that the functions of a file turned out to be others. Never fails. */
export function refuseTls({ path: file, device, inode, version, functions }: TlsLibrary, reason: string): void {
  try {
    const stat = fs.statSync(file, { bigint: true });
    if (stat.dev !== device || stat.ino !== inode || versionOf(stat) !== version) return;
    remembered.set(identityOf(stat), {
      library: undefined,
      missing: describeRefusal(reason),
      until_ms: performance.now() + REFUSED_FOR_MS,
    });
    openCache().refuse(stat, functions, reason);
  } catch {
    // It is gone, and nobody will ask for it.
  }
}

/** Remembers that these functions of a file are what they were taken for. Never fails. */
export function confirmTls(
  { path: file, device, inode, version }: TlsLibrary,
  functions: readonly TlsFunction[],
): void {
  try {
    const stat = fs.statSync(file, { bigint: true });
    if (stat.dev === device && stat.ino === inode && versionOf(stat) === version) openCache().confirm(stat, functions);
  } catch {
    // It is gone, and nobody will ask for it.
  }
}

/** Whether these functions of a file, one at least, have all been confirmed. */
export function isConfirmedTls({ path: file }: TlsLibrary, functions: readonly TlsFunction[]): boolean {
  try {
    return openCache().isConfirmed(fs.statSync(file, { bigint: true }), functions);
  } catch {
    return false;
  }
}

/** Why functions of a file are not probed although they are found in it: what they did when they were. Any, by default. */
export function refusalOf(file: string, functions?: readonly TlsFunction[]): string | undefined {
  try {
    return openCache().readRefusal(fs.statSync(file, { bigint: true }), functions);
  } catch {
    return undefined;
  }
}

/**
 * OpenSSL, BoringSSL, NSS (libssl3), and who links them in: libnode, libpython, libcrypto with libssl inside; GnuTLS, NSPR,
 * Mbed TLS, wolfSSL, s2n; OpenSSL for Java (netty-tcnative, Conscrypt), gRPC's and others' extension modules of Python; copies that
 * wheels bring (libssl-0123abcd.so.1.1).
 */
const SHARED_LIBRARY =
  /^lib(ssl|boringssl|node|python|gnutls(?!-openssl)|nspr4|nss3|mbedtls|wolfssl|s2n|\w*netty_tcnative|conscrypt)[^/]*\.so[.\d]*$/;
const EXTENSION = /^(_ssl|_rust|_openssl|cygrpc|_awscrt|_pycurl|pycurl|_wrapper)\.[^/]*so$/;

/** Whether a file of this name may hold the functions of a TLS library: worth a look when it is opened or mapped. */
export function mayHoldTls(file: string): boolean {
  const name = path.basename(file);
  return SHARED_LIBRARY.test(name) || EXTENSION.test(name);
}
