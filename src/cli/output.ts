import fs from 'node:fs';
import { openPrivateFile } from '../kernel/private-file.ts';
import type { Terminal } from './terminal.ts';

/** Where a trace is written. */
export interface Output {
  readonly color: boolean;
  write(text: string): void;
}

/** A file that only its owner can read, opened at once. Throws SetupError when it cannot be. */
export function openFile(path: string): Output {
  const file = openPrivateFile(path);
  return {
    color: false,
    write(text) {
      fs.writeFileSync(file.fd, text);
      file.close();
    },
  };
}

export function standardOutput(terminal: Terminal): Output {
  return { color: terminal.color, write: terminal.out };
}

export function standardError(terminal: Terminal): Output {
  return { color: terminal.err_color, write: terminal.err };
}
