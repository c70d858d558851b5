import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SetupError } from '../../../src/model/setup-error.ts';
import { hexId, sampleSpan } from './sample-spans.ts';
import { directory, newStore, reading } from './store-fixture.ts';

const execute = promisify(execFile);
const writer = join(import.meta.dirname, 'write-spans.ts');

/** Runs `write-spans.ts` in a process of its own, whose files may not grow past `limit_kb`. */
async function writeElsewhere(path: string, trace_id: string, count: number, limit_kb?: number) {
  const limit = limit_kb === undefined ? '' : `ulimit -f ${limit_kb}; `;
  const command = `${limit}exec "$0" --no-warnings "$@"`;
  const { stdout } = await execute('bash', ['-c', command, process.execPath, writer, path, trace_id, String(count)]);
  return JSON.parse(stdout) as { counts: [string, number][]; warnings: string[] };
}

test('several processes may write at once', async () => {
  const path = join(directory, 'shared', 'traces.db');
  const results = await Promise.all(['1', '2', '3'].map((digit) => writeElsewhere(path, digit.repeat(32), 1000)));
  assert.deepEqual(results, Array(3).fill({ counts: [], warnings: [] }));
  const counts = reading(path, (traces) => traces.listTraces({}, 10).map(({ span_count }) => span_count));
  assert.deepEqual(counts, [1000, 1000, 1000]);
});

test('while another process holds the store, spans wait, and come in later', () => {
  const { store, path, counters } = newStore();
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  for (let index = 0; index < 300; index++) store.push(sampleSpan({ span_id: hexId(index, 16) }));
  store.tick?.(1_000_000_000n);
  other.exec('ROLLBACK');
  other.close();
  store.close?.();
  assert.equal(
    reading(path, (traces) => traces.readTrace(sampleSpan().trace_id, false).length),
    300,
  );
  assert.deepEqual(counters.entries(), []);
});

test('a full disk is told once and counted, and the run goes on', async () => {
  const path = join(directory, 'full', 'traces.db');
  const { counts, warnings } = await writeElsewhere(path, 'f'.repeat(32), 4000, 256);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^the trace store .* cannot be written: .*; spans are missing from it$/);
  const stored = reading(path, (traces) => traces.readTrace('f'.repeat(32), true).length);
  assert.deepEqual(counts, [['store.write_failed', 4000 - stored]]);
});

test('a damaged store is told once and counted, and the run goes on', () => {
  const path = join(directory, 'damaged.db');
  writeFileSync(path, 'this is no database, but it is long enough to be looked at '.repeat(100));
  const { store, counters, warnings } = newStore({ path });
  store.push(sampleSpan());
  store.push(sampleSpan());
  store.close?.();
  assert.equal(counters.get('store.write_failed'), 2);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /damaged .*Move it away/);
});

test('a store where there can be no directory is refused with what to do', () => {
  for (const path of ['/proc/undersight/deep/traces.db', '/dev/null/traces.db']) {
    assert.throws(
      () => newStore({ path }),
      (error) => error instanceof SetupError && error.message.includes(path) && /UNDERSIGHT_STORE/.test(error.fix),
    );
  }
});

test('a store of a newer version is refused with what to do', () => {
  const { store, path } = newStore();
  store.close?.();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(
    () => newStore({ path }),
    (error) => error instanceof SetupError && /has schema 99/.test(error.message) && /upgrade/.test(error.fix),
  );
});

test('a database of another program is left alone', () => {
  const path = join(directory, 'other.db');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE precious (x)');
  database.close();
  chmodSync(path, 0o644);
  assert.throws(() => newStore({ path }), /database of another program/);
  assert.equal(statSync(path).mode & 0o777, 0o644);
});

test('a path that cannot be a file is refused', () => {
  assert.throws(() => newStore({ path: '/dev/null/traces.db' }), SetupError);
  assert.throws(() => newStore({ path: '/dev/null' }), /not a regular file/);
});
