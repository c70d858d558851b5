import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { Event } from '../../src/model/event.ts';
import { createExcludePaths } from '../../src/redact/exclude-paths.ts';

const base = { ktime_ns: 1n, process: '7:1', pid: 7, tid: 7 } as const;
const open = (path: string, file_id: bigint): Event => ({
  kind: 'file_open',
  ...base,
  origin: 'open',
  file_id,
  fd: 3,
  flags: 0,
  mode: 0o100644,
  errno: 0,
  path,
});
const io = (file_id: bigint, closed: boolean): Event => ({
  kind: 'file_io',
  ...base,
  file_id,
  fd: 3,
  bytes_read: 1n,
  bytes_written: 0n,
  read_count: 1,
  write_count: 0,
  first_ns: 1n,
  last_ns: 1n,
  closed,
});
const rename = (path: string, new_path: string): Event => ({
  kind: 'file_change',
  ...base,
  operation: 'rename',
  path,
  new_path,
  errno: 0,
});

test('nothing that happens to an excluded file goes on, the rest does, and what was left out is counted', () => {
  const passed: Event[] = [];
  const counters = createCounters();
  const stage = createExcludePaths(['/home/*/private/**'], { push: (event) => passed.push(event) }, counters);
  const kept = [open('/home/a/public', 1n), io(1n, true), rename('/a', '/b')];
  const excluded = [
    open('/home/a/private/diary', 2n),
    io(2n, false),
    io(2n, true),
    rename('/tmp/x', '/home/a/private/x'),
    rename('/home/a/private/x', '/tmp/x'),
  ];
  for (const event of [...kept, ...excluded]) stage.push(event);
  assert.deepEqual(passed, kept);
  assert.equal(counters.get('exclude.file_event'), excluded.length);
});

test('a file that is opened under the id of an excluded one after that was closed is not excluded', () => {
  const passed: Event[] = [];
  const stage = createExcludePaths(['/x'], { push: (event) => passed.push(event) }, createCounters());
  stage.push(open('/x', 5n));
  stage.push(io(5n, true));
  stage.push(io(5n, true));
  assert.deepEqual(passed, [io(5n, true)]);
});

test('an excluded folder hides itself and all that is in it, hidden files too', () => {
  const passed: Event[] = [];
  const stage = createExcludePaths(['/home/*/priv/**'], { push: (event) => passed.push(event) }, createCounters());
  for (const path of ['/home/a/priv', '/home/a/priv/.env', '/home/a/priv/.ssh/x', '/home/.b/priv/c/.d/e'])
    stage.push(open(path, 7n));
  assert.deepEqual(passed, []);
});
