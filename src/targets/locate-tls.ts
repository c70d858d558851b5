import fs from 'node:fs';
import path from 'node:path';
import type { TlsLibrary } from '../model/tls-library.ts';
import { type Elf, readBuildId, readElf } from './elf.ts';
import { type FoundTls, inspectTls } from './tls/inspect-tls.ts';
import { createLocationCache, type LocationCache, locationCachePath } from './tls/location-cache.ts';
import { placeProbes } from './tls/place-probes.ts';
import { TLS_FAMILIES } from './tls/tls-families.ts';

const QUICK = TLS_FAMILIES.filter(({ readsCode }) => !readsCode);
const SLOW = TLS_FAMILIES.filter(({ readsCode }) => readsCode);
/** What is smaller is searched in less time than it takes to keep the answer. */
const MIN_KEPT_BYTES = 8 * 1024 * 1024;
const MAX_REMEMBERED = 1024;
const remembered = new Map<string, TlsLibrary | undefined>();

/**
 * Where the TLS functions of a shared library or executable are, or undefined where there is none to probe (not ELF, none
 * found, unreadable). Answers are remembered per file and its modification time; those that took long also on disk.
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
    const key = `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
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

function findTls(elf: Elf, stat: fs.BigIntStats): FoundTls | undefined {
  const quick = inspectTls(elf, QUICK).found;
  if (quick !== undefined) return quick;
  if (stat.size < MIN_KEPT_BYTES) return inspectTls(elf, SLOW).found;
  cache ??= createLocationCache(locationCachePath(process.env, process.getuid?.()));
  const known = cache.read(elf, stat);
  if (known !== undefined) return known ?? undefined;
  const { found } = inspectTls(elf, SLOW);
  cache.write(elf, stat, found ?? null);
  return found;
}

/**
 * OpenSSL, BoringSSL, NSS (libssl3), and who links them in: libnode, libpython, libcrypto with libssl inside; GnuTLS, NSPR,
 * Mbed TLS, wolfSSL, s2n; OpenSSL for Java (netty-tcnative, Conscrypt), gRPC's and others' extension modules of Python; copies that
 * wheels bring (libssl-0123abcd.so.1.1).
 */
const SHARED_LIBRARY =
  /^lib(ssl|boringssl|node|python|gnutls|nspr4|nss3|mbedtls|wolfssl|s2n|netty_tcnative|conscrypt)[^/]*\.so[.\d]*$/;
const EXTENSION = /^(_ssl|_rust|_openssl|cygrpc|_awscrt|_pycurl|pycurl|_wrapper)\.[^/]*so$/;

/** Whether a file of this name may hold the functions of a TLS library: worth a look when it is opened or mapped. */
export function mayHoldTls(file: string): boolean {
  const name = path.basename(file);
  return SHARED_LIBRARY.test(name) || EXTENSION.test(name);
}
