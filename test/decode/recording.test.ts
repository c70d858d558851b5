import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { Intake } from '../../src/kernel/intake.ts';
import { createRecorder } from '../../src/kernel/recorder.ts';
import { replay } from '../../src/kernel/replay.ts';
import type { Event } from '../../src/model/event.ts';
import { SetupError } from '../../src/model/setup-error.ts';
import { makeRecord } from './record-builder.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-recording-'));
after(() => fs.rmSync(directory, { recursive: true }));

/** An intake that remembers every call as text. */
function remember(): { readonly calls: string[]; readonly intake: Intake } {
  const calls: string[] = [];
  const show = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
  return {
    calls,
    intake: {
      pushRecord: (record) => calls.push(`record ${Buffer.from(record).toString('hex')}`),
      pushFact: (event) => calls.push(`fact ${JSON.stringify(event, show)}`),
      tick: (now_ns) => calls.push(`tick ${now_ns}`),
    },
  };
}

const fact: Event = {
  kind: 'file_open',
  ktime_ns: 2n ** 60n,
  process: '1:2',
  pid: 1,
  tid: 1,
  origin: 'inherited',
  file_id: 2n ** 63n,
  fd: 4,
  flags: 0,
  mode: 0o100644,
  errno: 0,
  path: '/a "path"\n',
};

function record(file: string): string[] {
  const { calls, intake } = remember();
  const recorder = createRecorder({ path: file, counters: createCounters(), warn: assert.fail }, intake);
  recorder.pushFact(fact);
  for (let sequence = 0; sequence < 50; sequence++) {
    recorder.pushRecord(
      makeRecord('EVENT_NET_PAYLOAD', { sequence }, { data_bytes: 9000 }, Buffer.alloc(9000, sequence)),
    );
    recorder.tick(BigInt(sequence));
  }
  recorder.pushRecord(Buffer.alloc(300_000, 1));
  recorder.close?.();
  return calls;
}

test('a replay makes the same calls as the live run, in the same order', async () => {
  const file = path.join(directory, 'whole');
  const live = record(file);
  const { calls, intake } = remember();
  await replay({ path: file, counters: createCounters(), warn: assert.fail }, intake);
  assert.deepEqual(calls, live);
});

test('only the owner can read a recording, even where an older file was open to all', () => {
  const file = path.join(directory, 'mode');
  fs.writeFileSync(file, 'old', { mode: 0o644 });
  record(file);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
});

test('a recording that was cut off is replayed as far as it goes, with a warning', async () => {
  const file = path.join(directory, 'cut');
  const live = record(file);
  const size = fs.statSync(file).size;
  for (const length of [size - 1, size - 5, Math.floor(size / 2), 200]) {
    fs.truncateSync(file, length);
    const warnings: string[] = [];
    const counters = createCounters();
    const { calls, intake } = remember();
    await replay({ path: file, counters, warn: (message) => warnings.push(message) }, intake);
    assert.deepEqual(calls, live.slice(0, calls.length));
    assert.equal(warnings.length, 1);
    assert.equal(counters.get('replay.truncated'), 1);
  }
});

test('a file that is no recording, or of another layout, is refused', async () => {
  const file = path.join(directory, 'foreign');
  record(file);
  const foreign = fs.readFileSync(file);
  const at = foreign.indexOf('layout_hash":"') + 'layout_hash":"'.length;
  foreign[at] = foreign[at] === 0x30 ? 0x31 : 0x30;
  const cases: [content: Uint8Array, message: RegExp][] = [
    [Buffer.from('hello'), /not a recording/],
    [Buffer.alloc(0), /not a recording/],
    [foreign, /another version/],
  ];
  for (const [content, message] of cases) {
    fs.writeFileSync(file, content);
    const options = { path: file, counters: createCounters(), warn: assert.fail };
    await assert.rejects(
      replay(options, remember().intake),
      (error) => error instanceof SetupError && message.test(error.message),
    );
  }
});

test('facts that lack what their kind has, or are of no kind that is a fact, are counted and left out', async () => {
  const file = path.join(directory, 'bad-facts');
  const { path: _, ...without_path } = fact;
  const bad: unknown[] = [
    without_path,
    { ...fact, path: 7 },
    { ...fact, fd: null },
    { ...fact, process: 'x' },
    { ...fact, kind: 'session' },
    { ...fact, kind: 'no_such_kind' },
    { kind: 'constructor', ktime_ns: 1n },
    null,
    [],
  ];
  const recorder = createRecorder({ path: file, counters: createCounters(), warn: assert.fail }, remember().intake);
  for (const event of bad) recorder.pushFact(event as Event);
  recorder.pushFact(fact);
  recorder.close?.();
  const { calls, intake } = remember();
  const counters = createCounters();
  await replay({ path: file, counters, warn: assert.fail }, intake);
  assert.equal(calls.length, 1);
  assert.equal(counters.get('replay.malformed_frame'), bad.length);
});

test('a bug of ours in what reads the records is not told as a file that cannot be read', async () => {
  const file = path.join(directory, 'bug');
  record(file);
  const bug = new TypeError('a bug');
  const intake: Intake = {
    ...remember().intake,
    pushRecord() {
      throw bug;
    },
  };
  await assert.rejects(replay({ path: file, counters: createCounters(), warn: assert.fail }, intake), bug);
});

test('a recording that is not there is told as a file that cannot be read', async () => {
  const options = { path: path.join(directory, 'none'), counters: createCounters(), warn: assert.fail };
  await assert.rejects(replay(options, remember().intake), /Cannot read the recording .*ENOENT/);
});

test('a full disk ends the recording, is told once, and does not disturb the run', () => {
  const warnings: string[] = [];
  const counters = createCounters();
  const { calls, intake } = remember();
  const recorder = createRecorder({ path: '/dev/full', counters, warn: (message) => warnings.push(message) }, intake);
  for (let sequence = 0; sequence < 4; sequence++) recorder.pushRecord(Buffer.alloc(300_000));
  recorder.close?.();
  assert.equal(calls.length, 4);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /ENOSPC/);
  assert.equal(counters.get('recorder.lost_frames'), 4);
});

test('a recording that cannot be written is refused at the start', () => {
  const options = { path: '/nonexistent/file', counters: createCounters(), warn: assert.fail };
  assert.throws(() => createRecorder(options, remember().intake), SetupError);
});
