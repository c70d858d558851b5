import { existsSync } from 'node:fs';
import type { Span } from '../../model/span.ts';
import { openDatabase } from './database.ts';
import { removeStep, removeTraces } from './retention.ts';
import { storeError } from './sqlite-error.ts';
import {
  findTraces,
  listTraces,
  readTrace,
  selectTraces,
  type TraceFilter,
  type TraceSummary,
} from './trace-reader.ts';

/** What is in a store, for whoever reads it while others may write. */
export interface StoredTraces {
  /** The newest first. */
  listTraces(filter: TraceFilter, limit: number): TraceSummary[];
  /** Ids of all traces that match. */
  selectTraces(filter: TraceFilter): string[];
  /** Ids that begin with `prefix`, the newest first, at most `limit`. */
  findTraces(prefix: string, limit: number): string[];
  /** The spans of one trace, by start time; [] when there is none. Without content unless it is asked for. */
  readTrace(trace_id: string, withContent: boolean): Span[];
  /** Removes them and what only they hold, and overwrites the bytes. Gives how many there were. */
  removeTraces(trace_ids: readonly string[]): number;
  close(): void;
}

const WAIT_MS = 5000;

/** undefined when there is no store at `path` yet. All of it throws SetupError when the store cannot be read or is damaged. */
export function openStoredTraces(path: string): StoredTraces | undefined {
  if (!existsSync(path)) return undefined;
  const tell = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw storeError(path, error);
    }
  };
  const database = tell(() => openDatabase(path, WAIT_MS, false));
  return {
    listTraces: (filter, limit) => tell(() => listTraces(database, filter, limit)),
    selectTraces: (filter) => tell(() => selectTraces(database, filter)),
    findTraces: (prefix, limit) => tell(() => findTraces(database, prefix, limit)),
    readTrace: (trace_id, withContent) => tell(() => readTrace(database, trace_id, withContent)),
    removeTraces: (trace_ids) =>
      tell(() => {
        const removed = removeTraces(database, trace_ids);
        while (removeStep(database));
        // What was deleted is still in the write-ahead log.
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
        return removed;
      }),
    close: () => database.close(),
  };
}
