import { SetupError } from '../../model/setup-error.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Another process is writing. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** The file is no database any more, or not a whole one. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** What SQLite says of the store at `path`, with what to do; errors that are not SQLite's stay as they are. */
export function storeError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || resultCode(error) === 0) return error;
  if (isDamage(error)) {
    const fix = 'Move it away to start anew.';
    return new SetupError(`the trace store ${path} is damaged (${error.message})`, fix, { cause: error });
  }
  const fix = isBusy(error) ? 'Another process holds it: try again.' : 'Check the disk and the permissions.';
  return new SetupError(`the trace store ${path} cannot be used: ${error.message}`, fix, { cause: error });
}

/** The primary result code of SQLite; 0 for other errors. */
function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}
