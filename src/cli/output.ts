import fs from 'node:fs';
import { SetupError } from '../model/setup-error.ts';
import type { Terminal } from './terminal.ts';

/** Where a trace is written. */
export interface Output {
  readonly color: boolean;
  write(text: string): void;
}

/** A file that only its owner can read, opened at once. Throws SetupError when it cannot be. */
export function openFile(file: string): Output {
  try {
    const fd = fs.openSync(file, 'w', 0o600);
    return {
      color: false,
      write(text) {
        fs.writeFileSync(fd, text);
        fs.closeSync(fd);
      },
    };
  } catch (cause) {
    throw new SetupError(`Cannot write ${file}: ${(cause as Error).message}`, 'Give another file.', { cause });
  }
}

export function standardOutput(terminal: Terminal): Output {
  return { color: terminal.color, write: terminal.out };
}

export function standardError(terminal: Terminal): Output {
  return { color: terminal.err_color, write: terminal.err };
}
