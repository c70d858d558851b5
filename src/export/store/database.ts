import { chmodSync, closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SetupError } from '../../model/setup-error.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './schema.ts';

/** 'UNDS': marks a SQLite file as ours (PRAGMA application_id). */
const APPLICATION_ID = 0x554e4453;
const ELSEWHERE = 'Name another file with UNDERSIGHT_STORE or exporters.store.path';

/**
 * Opens the store, and creates it (file 0600, missing directories 0700) unless `create` is false.
 * `wait_ms`: how long a statement waits for another process that writes.
 * Throws SetupError when the file cannot be opened, is something else, or has a newer schema; SQLite's own error when
 * the file is damaged or the disk is full.
 */
export function openDatabase(path: string, wait_ms: number, create = true): DatabaseSync {
  secureFile(path, create);
  const database = new DatabaseSync(path, { timeout: wait_ms });
  try {
    checkOwner(database, path);
    // Only takes effect before the first page is written, which the change to WAL does.
    database.exec('PRAGMA auto_vacuum = INCREMENTAL');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON');
    database.exec('PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY');
    migrate(database, path);
    tightenModes(path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The number that `PRAGMA name` answers with. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** Runs `body` with the write lock: all of it is done, or nothing. */
export function transaction<T>(database: DatabaseSync, body: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** SQLite makes the -wal and -shm files with the mode of the file itself, so the file must be ours first. */
function secureFile(path: string, create: boolean): void {
  try {
    if (create) makeDirectory(dirname(path));
    const fd = openSync(path, constants.O_RDWR | (create ? constants.O_CREAT : 0), 0o600);
    const regular = fstatSync(fd).isFile();
    closeSync(fd);
    if (!regular) throw new Error('it is not a regular file');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SetupError(`cannot open the trace store ${path}: ${reason}`, `${ELSEWHERE}.`, { cause: error });
  }
}

/** With all around it. `mkdirSync`'s own `recursive` never ends below /proc, where mkdir says ENOENT whatever exists. */
function makeDirectory(path: string): void {
  const around = dirname(path);
  if (existsSync(path) || around === path) return;
  makeDirectory(around);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function checkOwner(database: DatabaseSync, path: string): void {
  const id = pragma(database, 'application_id');
  const tables = Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0);
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return;
  throw new SetupError(`${path} is a database of another program`, `${ELSEWHERE}.`);
}

function migrate(database: DatabaseSync, path: string): void {
  const version = pragma(database, 'user_version');
  if (version > SCHEMA_VERSION) {
    throw new SetupError(
      `the trace store ${path} has schema ${version}, this Undersight knows schema ${SCHEMA_VERSION}`,
      `A newer Undersight wrote it: upgrade this one. Or: ${ELSEWHERE}.`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  transaction(database, () => {
    // Another process may have done it while we waited for the lock.
    for (const statements of MIGRATIONS.slice(pragma(database, 'user_version'))) database.exec(statements);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

function tightenModes(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
}
