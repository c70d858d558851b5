import fs from 'node:fs';
import { readElf } from './elf.ts';
import { locateTls, refusalOf } from './locate-tls.ts';
import { readProcFile } from './proc-file.ts';
import { inspectTls } from './tls/inspect-tls.ts';
import { findProcessFiles } from './tls-files.ts';

const MAX_MAPS_BYTES = 16 * 1024 * 1024;

/**
 * Why the TLS of a process cannot be read, in words; undefined when it can be. `executable`: where its program is, for when
 * it is gone. May read all of the program's code: up to a second.
 */
export function unreadTlsReason(pid: number, executable: string): string | undefined {
  const maps = readProcFile(`/proc/${pid}/maps`, MAX_MAPS_BYTES);
  if (maps !== undefined && findProcessFiles(pid).some((file) => locateTls(file) !== undefined)) return undefined;
  const refusal = refusalOf(executable);
  if (refusal !== undefined) return `its functions turned out to be others: ${refusal}`;
  if (maps?.includes('/libjvm.so')) return 'Java’s own TLS is compiled while it runs: it has no function to read it at';
  let fd: number | undefined;
  try {
    fd = fs.openSync(
      maps === undefined ? executable : `/proc/${pid}/exe`,
      fs.constants.O_RDONLY | fs.constants.O_NONBLOCK,
    );
    const elf = readElf(fd);
    if (elf === undefined) return 'its program is no 64-bit ELF file';
    const { found, missing } = inspectTls(elf);
    if (found !== undefined) return 'its functions were found too late for this connection';
    return `no TLS library that is known (${missing.map((one) => `${one.family}: ${one.missing}`).join('; ')})`;
  } catch (error) {
    return `its program cannot be looked into (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
