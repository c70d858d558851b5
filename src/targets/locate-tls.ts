import fs from 'node:fs';
import path from 'node:path';
import { identityOf, versionOf } from '../model/file-identity.ts';
import type { TlsFunction, TlsLibrary } from '../model/tls-library.ts';
import { type Elf, readBuildId, readElf } from './elf.ts';
import { type FoundTls, inspectTls, joined } from './tls/inspect-tls.ts';
import { createLocationCache, type LocationCache, locationCachePath } from './tls/location-cache.ts';
import { placeProbes } from './tls/place-probes.ts';
import { isInferred, TLS_FAMILIES } from './tls/tls-families.ts';

const QUICK = TLS_FAMILIES.filter(({ readsCode }) => !readsCode);
const SLOW = TLS_FAMILIES.filter(({ readsCode }) => readsCode);
/** What is smaller is searched in less time than it takes to keep the answer. */
const MIN_KEPT_BYTES = 8 * 1024 * 1024;
const MAX_REMEMBERED = 1024;
const remembered = new Map<string, TlsLibrary | undefined>();

/**
 * Where the TLS functions of a shared library or executable are, or undefined where there is none to probe (not ELF, none
 * found, unreadable). Answers are remembered per file as it is; those that took long also on disk.
 */
export function locateTls(file: string): TlsLibrary | undefined {
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
    if (remembered.has(key)) {
      const known = remembered.get(key);
      return known && { ...known, path: file };
    }
    const elf = readElf(fd);
    const found = elf && findTls(elf, stat);
    const library = found && {
      ...found,
      functions: placeProbes(elf, found.functions),
      path: file,
      device: stat.dev,
      inode: stat.ino,
      version: versionOf(stat),
      build_id: readBuildId(elf),
    };
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    remembered.set(key, library);
    return library;
  } catch {
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

let cache: LocationCache | undefined;

function openCache(): LocationCache {
  cache ??= createLocationCache(locationCachePath(process.env, process.getuid?.()));
  return cache;
}

function findTls(elf: Elf, stat: fs.BigIntStats): FoundTls | undefined {
  const quick = inspectTls(elf, QUICK).found;
  if (quick?.families.some(isInferred) && openCache().readRefusal(stat, quick.functions) !== undefined)
    return undefined;
  return joined(quick, findSlowly(elf, stat, quick));
}

function findSlowly(elf: Elf, stat: fs.BigIntStats, quick: FoundTls | undefined): FoundTls | undefined {
  const known = openCache().read(elf, stat);
  if (known !== undefined) return known ?? undefined;
  const { found } = inspectTls(elf, SLOW, quick);
  if (stat.size >= MIN_KEPT_BYTES) openCache().write(elf, stat, found ?? null);
  return found;
}

/** Remembers, here and on disk, that the functions of a file turned out to be others. Never fails. */
export function refuseTls({ path: file, device, inode, version, functions }: TlsLibrary, reason: string): void {
  try {
    const stat = fs.statSync(file, { bigint: true });
    if (stat.dev !== device || stat.ino !== inode || versionOf(stat) !== version) return;
    remembered.set(identityOf(stat), undefined);
    openCache().refuse(stat, functions, reason);
  } catch {
    // It is gone, and nobody will ask for it.
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
