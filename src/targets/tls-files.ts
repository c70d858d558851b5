/** Which files may hold the TLS functions that somebody calls: the system's, a process's own. */
import fs from 'node:fs';
import path from 'node:path';
import { mayHoldTls } from './locate-tls.ts';
import { readProcFile } from './proc-file.ts';

const LIBRARY_DIRECTORIES = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64'];
const SYSTEM_DIRECTORIES = /^(\/usr(\/local)?)?\/(s?bin|lib\w*|games)$/;
const LOADER_CACHE = '/etc/ld.so.cache';
const MAX_MAPS_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 256;
/** Of one directory: somebody may have put millions of files beside an executable. */
const MAX_ENTRIES = 16_384;

/** Is called for files and sockets of all kinds, so not to be probed before somebody who is watched has it. */
const ON_DEMAND = /^lib(nspr4|nss3)/;

/** The shared TLS libraries that the dynamic loader would find, real paths, each once. */
export function findSystemLibraries(): readonly string[] {
  const found = new Set<string>();
  for (const file of [...readLoaderCache(), ...LIBRARY_DIRECTORIES.flatMap(listLibraries)]) {
    if (ON_DEMAND.test(path.basename(file))) continue;
    try {
      found.add(fs.realpathSync(file));
    } catch {
      // The loader's cache may name what is gone.
    }
  }
  return [...found];
}

/**
 * Libraries that an executable brings along, in its own directory or the `lib` beside it (conda, relocatable builds). The
 * path may lead through `/proc/PID/root`.
 */
export function findBundledLibraries(executable: string): readonly string[] {
  const directory = path.dirname(executable);
  const inside = directory.replace(/^\/proc\/\d+\/root(?=\/)/, '');
  // Thousands of files, and what is there is found as the system's anyway.
  if (SYSTEM_DIRECTORIES.test(inside)) return [];
  return [directory, path.join(directory, '../lib')].flatMap(listLibraries);
}

/**
 * What a running process may call TLS through: its executable and the libraries mapped into it. The paths lead through
 * `/proc/PID`, hence into the process's own mount namespace. Empty when the process is gone.
 */
export function findProcessFiles(pid: number): readonly string[] {
  const files = new Set([`/proc/${pid}/exe`]);
  for (const { range, file } of readMappedFiles(pid)) {
    if (!mayHoldTls(file) || files.size >= MAX_FILES) continue;
    // The mapping itself leads to the very file, also where that was replaced since, or lies beyond a chroot.
    const mapping = `/proc/${pid}/map_files/${range}`;
    files.add(fs.existsSync(mapping) ? mapping : throughRoot(pid, file));
  }
  return [...files];
}

/** A path that a process named, as we can open it: through its own root. */
export function throughRoot(pid: number, file: string): string {
  return `/proc/${pid}/root${path.resolve('/', file)}`;
}

function readLoaderCache(): readonly string[] {
  try {
    // The cache ends with its strings, each with a NUL.
    const names = fs.readFileSync(LOADER_CACHE, 'latin1').match(/\/[^\0]*\/[^/\0]+(?=\0)/g) ?? [];
    return names.filter(mayHoldTls);
  } catch {
    return [];
  }
}

function listLibraries(directory: string): readonly string[] {
  const found: string[] = [];
  try {
    const entries = fs.opendirSync(directory, { bufferSize: 256 });
    try {
      for (let read = 0; read < MAX_ENTRIES && found.length < MAX_FILES; read++) {
        const entry = entries.readSync();
        if (entry === null) break;
        if (mayHoldTls(entry.name)) found.push(path.join(directory, entry.name));
      }
    } finally {
      entries.closeSync();
    }
  } catch {
    // It may be gone, or not ours to read.
  }
  return found.sort();
}

/** All executable mappings of files, one for each. A range is written as `map_files` names it: without leading zeros. */
function readMappedFiles(pid: number): readonly { readonly range: string; readonly file: string }[] {
  const maps = readProcFile(`/proc/${pid}/maps`, MAX_MAPS_BYTES)?.toString('utf8') ?? '';
  return [...maps.matchAll(/^0*([0-9a-f]+)-0*([0-9a-f]+) ..x. \S+ \S+ \d+ +(\/.*?)(?: \(deleted\))?$/gm)].map(
    ([, start, end, file]) => ({ range: `${start}-${end}`, file: file as string }),
  );
}
