/** Which files may hold the TLS functions that somebody calls: the system's, a process's own. */
import fs from 'node:fs';
import path from 'node:path';
import { mayHoldTls } from './locate-tls.ts';
import { readProcFile } from './proc-file.ts';

const LIBRARY_DIRECTORIES = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64'];
const LOADER_CACHE = '/etc/ld.so.cache';
const MAX_MAPS_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 256;

/** The shared libssl files that the dynamic loader would find, real paths, each once. */
export function findSystemLibraries(): readonly string[] {
  const found = new Set<string>();
  for (const file of [...readLoaderCache(), ...LIBRARY_DIRECTORIES.flatMap(listLibraries)]) {
    try {
      found.add(fs.realpathSync(file));
    } catch {
      // The loader's cache may name what is gone.
    }
  }
  return [...found];
}

/** Libraries that an executable brings along, in its own directory or the `lib` beside it (conda, relocatable builds). */
export function findBundledLibraries(executable: string): readonly string[] {
  const directory = path.dirname(executable);
  return [directory, path.join(directory, '../lib')]
    .filter((one) => !LIBRARY_DIRECTORIES.includes(path.resolve(one)))
    .flatMap(listLibraries);
}

/**
 * What a running process may call TLS through: its executable and the libraries mapped into it. The paths lead through
 * `/proc/PID`, hence into the process's own mount namespace. Empty when the process is gone.
 */
export function findProcessFiles(pid: number): readonly string[] {
  const files = new Set([`/proc/${pid}/exe`]);
  for (const file of readMappedFiles(pid)) {
    if (mayHoldTls(file) && files.size < MAX_FILES) files.add(`/proc/${pid}/root${file}`);
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
    return fs.readFileSync(LOADER_CACHE, 'latin1').match(/\/[^\0]*\/libssl[^/\0]*(?=\0)/g) ?? [];
  } catch {
    return [];
  }
}

function listLibraries(directory: string): readonly string[] {
  try {
    return fs
      .readdirSync(directory)
      .filter(mayHoldTls)
      .slice(0, MAX_FILES)
      .map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** Paths of all files mapped executable. `maps` writes a newline in a path as `\012`. */
function readMappedFiles(pid: number): readonly string[] {
  const maps = readProcFile(`/proc/${pid}/maps`, MAX_MAPS_BYTES)?.toString('utf8') ?? '';
  const files = new Set<string>();
  for (const line of maps.split('\n')) {
    const match = /^\S+ ..x. \S+ \S+ \d+ +(\/.*)$/.exec(line);
    if (match?.[1]) files.add(match[1].replace(/ \(deleted\)$/, ''));
  }
  return [...files];
}
