import fs from 'node:fs';
import { openPrivateFile } from '../kernel/private-file.ts';
import { SetupError } from '../model/setup-error.ts';
import type { Terminal } from './terminal.ts';

/** Where a trace is written. */
export interface Output {
  readonly color: boolean;
  /** `fix`: what to do when it cannot be written. Throws SetupError; of standard output and error, the terminal tells. */
  write(text: string, fix: string): void;
}

/** A file that only its owner can read, opened at once. Throws SetupError when it cannot be. */
export function openFile(path: string): Output {
  const file = openPrivateFile(path);
  return {
    color: false,
    write(text, fix) {
      try {
        fs.writeFileSync(file.fd, text);
        file.close();
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException;
        if (code !== 'EPIPE') throw new SetupError(`Cannot write ${path}: ${message}`, fix, { cause });
      }
    },
  };
}

export function standardOutput(terminal: Terminal): Output {
  return { color: terminal.color, write: terminal.out };
}

export function standardError(terminal: Terminal): Output {
  return { color: terminal.err_color, write: terminal.err };
}
