import { refusalOf } from './locate-tls.ts';
import { readProcFile } from './proc-file.ts';
import { findProcessFiles } from './tls-files.ts';

const MAX_MAPS_BYTES = 4 * 1024 * 1024;

/** Why the TLS of a running process, in which nothing was found to probe, cannot be read; undefined where that is not known. */
export function whyUnreadable(pid: number): string | undefined {
  for (const file of findProcessFiles(pid)) {
    const reason = refusalOf(file);
    if (reason !== undefined) return `its TLS functions were taken for others (${reason})`;
  }
  const maps = readProcFile(`/proc/${pid}/maps`, MAX_MAPS_BYTES)?.toString('utf8') ?? '';
  if (/\/libjvm\.so$/m.test(maps)) return "Java's own TLS is compiled as it runs and has no functions to probe";
  if (maps !== '' && !/\.so[.\d]*$/m.test(maps)) return 'it has its TLS linked in, and the functions are not found';
  return undefined;
}
