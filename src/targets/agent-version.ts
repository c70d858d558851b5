import path from 'node:path';
import { findProgram, type Invocation } from './invocation.ts';
import { readProcFile, readProcLink } from './proc-file.ts';
import { throughRoot } from './tls-files.ts';

const MAX_LEVELS = 5;
const MAX_MANIFEST_BYTES = 1024 * 1024;

/**
 * The version in the package.json nearest to the script that a process runs, as the process's own files have it; of a native
 * executable the one in its path (`.../versions/2.1.3`).
 */
export function readAgentVersion(pid: number, invocation: Invocation, working_directory: string): string | undefined {
  const program = findProgram(invocation);
  if (program === undefined) return /\/versions\/v?(\d+\.\d[\w.+-]{0,62})(\/|$)/.exec(invocation.executable_path)?.[1];
  const { script } = program;
  if (script === undefined) return undefined;
  const named = path.resolve(working_directory, script);
  // A command in node_modules/.bin or /usr/bin is a link to the script beside its package.json.
  const link = readProcLink(throughRoot(pid, named));
  let directory = path.dirname(link === '' ? named : path.resolve(path.dirname(named), link));
  for (let level = 0; level < MAX_LEVELS; level++) {
    const manifest = readProcFile(throughRoot(pid, path.join(directory, 'package.json')), MAX_MANIFEST_BYTES);
    if (manifest !== undefined) return versionIn(manifest);
    directory = path.dirname(directory);
  }
  return undefined;
}

function versionIn(manifest: Buffer): string | undefined {
  try {
    const { version }: { version?: unknown } = JSON.parse(manifest.toString('utf8'));
    return typeof version === 'string' && version.length <= 64 ? version : undefined;
  } catch {
    return undefined;
  }
}
