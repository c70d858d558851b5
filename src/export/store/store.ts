import type { DatabaseSync } from 'node:sqlite';
import type { Counters } from '../../health/counters.ts';
import { SetupError } from '../../model/setup-error.ts';
import type { Span } from '../../model/span.ts';
import type { Stage } from '../../stage.ts';
import { openDatabase } from './database.ts';
import { expiredTraces, oldestTrace, removeStep, removeTraces, usedBytes } from './retention.ts';
import { createSpanWriter, type SpanWriter } from './span-writer.ts';
import { isBusy, isDamage } from './sqlite-error.ts';

export interface StoreStageOptions {
  readonly path: string;
  /** ns */
  readonly max_age: bigint;
  readonly max_bytes: number;
  readonly counters: Counters;
  /** Is told of trouble, once per kind. */
  readonly warn: (message: string) => void;
  /** ns since the Unix epoch, for `max_age`. */
  readonly now_unix_ns?: () => bigint;
}

const BATCH_SPANS = 256;
const BATCH_CHARS = 4 << 20;
const QUEUE_SPANS = 16_384;
const QUEUE_CHARS = 128 << 20;
const FLUSH_INTERVAL_NS = 200_000_000n;
const RETENTION_INTERVAL_NS = 1_000_000_000n;
/** How long the pipeline may stand still because another process writes: short while it runs, longer at the end. */
const WAIT_MS = 100;
const OPEN_WAIT_MS = 5000;
const CLOSE_WAIT_MS = 5000;
const CLOSE_STEPS = 64;
const EXPIRED_PER_STEP = 64;

/**
 * Writes every span, with its content, into the database at `path`, in batches. Keeps the database within `max_age` and
 * `max_bytes`. Throws SetupError when the file cannot be used at all; damage and a full disk are told and counted, and
 * what could not be written is lost to the store only. Counts under `store.`: duplicate_span, expired_trace, queue_full,
 * removed_trace, too_large, write_failed.
 */
export function createStore(options: StoreStageOptions): Stage<Span> {
  const { path, counters } = options;
  const nowUnixNs = options.now_unix_ns ?? (() => BigInt(Date.now()) * 1_000_000n);
  const told = new Set<string>();
  let database: DatabaseSync | undefined;
  let writer: SpanWriter | undefined;
  let queue: Span[] = [];
  let queue_chars = 0;
  let busy = false;
  let last_flush_ns = 0n;
  let last_retention_ns = 0n;

  function tell(kind: string, message: string): void {
    if (told.has(kind)) return;
    told.add(kind);
    options.warn(message);
  }

  function fail(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!isDamage(error)) {
      tell('write', `the trace store ${path} cannot be written: ${reason}; spans are missing from it`);
      return;
    }
    tell(
      'damage',
      `the trace store ${path} is damaged (${reason}); nothing more is stored. Move it away to start anew`,
    );
    closeDatabase();
  }

  function closeDatabase(): void {
    try {
      database?.close();
    } catch {
      // Only a damaged file cannot be closed, and that was told.
    }
    database = undefined;
    writer = undefined;
  }

  function drop(reason: string): void {
    counters.lost(reason, queue.length);
    queue = [];
    queue_chars = 0;
  }

  /** False: another process is writing; the spans stay in the queue. */
  function flush(): boolean {
    if (queue.length === 0) return true;
    if (database === undefined || writer === undefined) {
      drop('store.write_failed');
      return true;
    }
    try {
      if (usedBytes(database) > options.max_bytes && oldestTrace(database) === undefined && !removeStep(database)) {
        tell(
          'size',
          `one trace alone is larger than the store may be (max_bytes ${options.max_bytes}); its end is left out`,
        );
        drop('store.too_large');
        return true;
      }
      const duplicates = writer.write(queue);
      if (duplicates > 0) counters.counted('store.duplicate_span', duplicates);
      queue = [];
      queue_chars = 0;
      if (usedBytes(database) > options.max_bytes) retain();
    } catch (error) {
      if (isBusy(error)) return false;
      drop('store.write_failed');
      fail(error);
    }
    return true;
  }

  /** One step towards the limits. False: they hold. */
  function retain(): boolean {
    if (database === undefined) return false;
    try {
      if (removeStep(database)) return true;
      const expired = expiredTraces(database, nowUnixNs() - options.max_age, EXPIRED_PER_STEP);
      if (expired.length > 0) {
        counters.counted('store.expired_trace', removeTraces(database, expired));
        return true;
      }
      const oldest = usedBytes(database) > options.max_bytes ? oldestTrace(database) : undefined;
      if (oldest === undefined) return false;
      counters.counted('store.removed_trace', removeTraces(database, [oldest]));
      return true;
    } catch (error) {
      if (!isBusy(error)) fail(error);
      return false;
    }
  }

  try {
    database = openDatabase(path, OPEN_WAIT_MS);
    writer = createSpanWriter(database);
    database.exec(`PRAGMA busy_timeout = ${WAIT_MS}`);
  } catch (error) {
    if (error instanceof SetupError) throw error;
    fail(error);
    closeDatabase();
  }

  return {
    push(span) {
      if (queue.length >= QUEUE_SPANS || queue_chars >= QUEUE_CHARS) {
        counters.lost('store.queue_full');
        tell('queue', `another process keeps the trace store ${path} busy; spans are missing from it`);
        return;
      }
      queue.push(span);
      for (const value of Object.values(span.content)) if (typeof value === 'string') queue_chars += value.length;
      // While another process writes, only the ticks try again.
      if (!busy && (queue.length >= BATCH_SPANS || queue_chars >= BATCH_CHARS)) busy = !flush();
    },
    tick(now_ns) {
      if (now_ns - last_flush_ns >= FLUSH_INTERVAL_NS) {
        last_flush_ns = now_ns;
        busy = !flush();
      }
      if (now_ns - last_retention_ns >= RETENTION_INTERVAL_NS && !retain()) last_retention_ns = now_ns;
    },
    close() {
      try {
        database?.exec(`PRAGMA busy_timeout = ${CLOSE_WAIT_MS}`);
      } catch (error) {
        fail(error);
      }
      if (!flush()) {
        drop('store.write_failed');
        tell('queue', `another process keeps the trace store ${path} busy; spans are missing from it`);
      }
      for (let step = 0; step < CLOSE_STEPS && retain(); step++);
      closeDatabase();
    },
  };
}
