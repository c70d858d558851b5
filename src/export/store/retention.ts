import type { DatabaseSync } from 'node:sqlite';
import { pragma, transaction } from './database.ts';

const ROWS_PER_STEP = 1000;
const PAGES_PER_STEP = 256;

/** Takes traces out of sight; their rows go in later `removeStep`s. Gives how many there were. */
export function removeTraces(database: DatabaseSync, trace_ids: readonly string[]): number {
  const queue = database.prepare('INSERT INTO removal SELECT id FROM trace WHERE trace_id = ?');
  const remove = database.prepare('DELETE FROM trace WHERE trace_id = ?');
  return transaction(database, () => {
    let removed = 0;
    for (const trace_id of trace_ids) {
      queue.run(trace_id);
      removed += Number(remove.run(trace_id).changes);
    }
    return removed;
  });
}

/**
 * One short step of the removal of what `removeTraces` took out: spans, then messages that no other trace holds, then
 * the free pages. False: nothing is left to do.
 */
export function removeStep(database: DatabaseSync): boolean {
  const trace = database.prepare('SELECT trace FROM removal LIMIT 1').get()?.trace;
  if (trace === undefined) {
    if (pragma(database, 'freelist_count') === 0) return false;
    database.exec(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`);
    return true;
  }
  transaction(database, () => {
    const spans = database
      .prepare('DELETE FROM span WHERE id IN (SELECT id FROM span WHERE trace = ? LIMIT ?)')
      .run(trace, ROWS_PER_STEP);
    if (spans.changes === 0 && removeContent(database, trace) === 0) {
      database.prepare('DELETE FROM removal WHERE trace = ?').run(trace);
      if (database.prepare('SELECT 1 FROM removal').get() === undefined) removeResources(database);
    }
  });
  return true;
}

/** Ids of the traces that ended before `before_unix_ns`, the oldest first. */
export function expiredTraces(database: DatabaseSync, before_unix_ns: bigint, limit: number): string[] {
  return database
    .prepare('SELECT trace_id FROM trace WHERE end_unix_ns < ? ORDER BY end_unix_ns LIMIT ?')
    .all(before_unix_ns, limit)
    .map((row) => String(row.trace_id));
}

/** The trace that ended first, unless it is the only one. */
export function oldestTrace(database: DatabaseSync): string | undefined {
  const rows = database.prepare('SELECT trace_id FROM trace ORDER BY end_unix_ns LIMIT 2').all();
  return rows.length === 2 ? String(rows[0]?.trace_id) : undefined;
}

/** Bytes in use in the database file, without its free pages. */
export function usedBytes(database: DatabaseSync): number {
  return (pragma(database, 'page_count') - pragma(database, 'freelist_count')) * pragma(database, 'page_size');
}

function removeContent(database: DatabaseSync, trace: unknown): number {
  const held = database.prepare('SELECT content FROM trace_content WHERE trace = ? LIMIT ?');
  const release = database.prepare('DELETE FROM trace_content WHERE trace = ? AND content = ?');
  const remove = database.prepare(
    'DELETE FROM content WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM trace_content WHERE content = ?1)',
  );
  const rows = held.all(trace as number, ROWS_PER_STEP);
  for (const { content } of rows) {
    release.run(trace as number, content as number);
    remove.run(content as number);
  }
  return rows.length;
}

function removeResources(database: DatabaseSync): void {
  database.exec('DELETE FROM resource WHERE NOT EXISTS (SELECT 1 FROM span WHERE span.resource = resource.id)');
}
