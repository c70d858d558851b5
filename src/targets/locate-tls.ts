import fs from 'node:fs';
import path from 'node:path';
import type { TlsFunctionName, TlsLibrary } from '../model/tls-library.ts';
import { findFunctions, readBuildId, readElf } from './elf.ts';

const FUNCTIONS: readonly TlsFunctionName[] = ['SSL_read', 'SSL_read_ex', 'SSL_write', 'SSL_write_ex', 'SSL_free'];
const MAX_CACHED = 1024;
const cache = new Map<string, TlsLibrary | undefined>();

/**
 * Where the TLS functions of a shared library or executable are, or undefined where there is none to probe (not ELF, no
 * such symbols, unreadable). Answers are remembered per file and its modification time.
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
    if (cache.has(key)) {
      const known = cache.get(key);
      return known && { ...known, path: file };
    }
    const elf = readElf(fd);
    const offsets = elf && findFunctions(fd, elf, FUNCTIONS);
    const library =
      elf && offsets && (offsets.has('SSL_read') || offsets.has('SSL_write'))
        ? {
            path: file,
            device: stat.dev,
            inode: stat.ino,
            build_id: readBuildId(fd, elf),
            functions: FUNCTIONS.flatMap((name) => {
              const file_offset = offsets.get(name);
              return file_offset === undefined ? [] : [{ name, file_offset }];
            }),
          }
        : undefined;
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
    cache.set(key, library);
    return library;
  } catch {
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

const LIBRARY_NAME = /^(lib(ssl|node|python)[^/]*\.so[.\d]*|_ssl\.[^/]*so)$/;

/** Whether a file of this name may hold OpenSSL's functions: worth a look when it is opened or mapped. */
export function mayHoldTls(file: string): boolean {
  return LIBRARY_NAME.test(path.basename(file));
}
