import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { createStore, type StoreStageOptions } from '../../../src/export/store/store.ts';
import { openStoredTraces, type StoredTraces } from '../../../src/export/store/stored-traces.ts';
import { createCounters } from '../../../src/health/counters.ts';
import { SetupError } from '../../../src/model/setup-error.ts';
import type { Span } from '../../../src/model/span.ts';
import { anySpan, hexId, sampleSpan } from './sample-spans.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-store-'));
after(() => rmSync(directory, { recursive: true }));
let stores = 0;

function newStore(part: Partial<StoreStageOptions> = {}) {
  const counters = createCounters();
  const warnings: string[] = [];
  const path = join(directory, `${++stores}`, 'traces.db');
  const options = {
    path,
    max_age: 2n ** 62n,
    max_bytes: 1e9,
    counters,
    warn: (message: string) => warnings.push(message),
    now_unix_ns: () => 1_700_000_100_000_000_000n,
    ...part,
  };
  return { store: createStore(options), path: options.path, counters, warnings };
}

function reading<T>(path: string, read: (traces: StoredTraces) => T): T {
  const traces = openStoredTraces(path);
  assert.ok(traces);
  try {
    return read(traces);
  } finally {
    traces.close();
  }
}

/** A long conversation: every request repeats all messages before it. */
function conversation(calls: number, trace_id = sampleSpan().trace_id): Span[] {
  const messages: string[] = [];
  return Array.from({ length: calls }, (_, call) => {
    messages.push(JSON.stringify({ role: 'user', parts: [{ type: 'text', content: `${call} ${noise(call, 2000)}` }] }));
    return sampleSpan({
      trace_id,
      span_id: hexId(call + 1, 16),
      content: { 'gen_ai.input.messages': `[${messages.join(',')}]` },
    });
  });
}

/** Text that does not compress well. */
function noise(seed: number, length: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return String.fromCharCode(33 + (state % 90));
  }).join('');
}

test('what is read is what was pushed, whatever it holds', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anySpan, { maxLength: 6, selector: (span) => span.trace_id + span.span_id }),
      (spans) => {
        const { store, path } = newStore();
        for (const span of spans) store.push(span);
        store.close?.();
        const order = (a: Span, b: Span) => (a.trace_id + a.span_id < b.trace_id + b.span_id ? -1 : 1);
        const read = reading(path, (traces) =>
          traces.selectTraces({}).flatMap((trace_id) => traces.readTrace(trace_id, true)),
        );
        assert.deepStrictEqual(read.sort(order), [...spans].sort(order));
      },
    ),
    { numRuns: 40 },
  );
});

test('spans of one agent instance share one resource object', () => {
  const { store, path } = newStore();
  store.push(sampleSpan());
  store.push(sampleSpan({ span_id: hexId(2, 16) }));
  store.close?.();
  const [first, second] = reading(path, (traces) => traces.readTrace(sampleSpan().trace_id, true));
  assert.equal(first?.resource, second?.resource);
});

test('a message that every request repeats is stored once', () => {
  const { store, path } = newStore();
  for (const span of conversation(60)) store.push(span);
  store.close?.();
  // 60 messages of 2 kB; as they came they would take 3.7 MB.
  assert.ok(statSync(path).size < 400_000, `${statSync(path).size} bytes`);
});

test('content is given only to those who ask for it', () => {
  const { store, path } = newStore();
  store.push(sampleSpan({ content: { 'gen_ai.input.messages': 'a prompt' } }));
  store.close?.();
  assert.deepEqual(
    reading(path, (traces) => traces.readTrace(sampleSpan().trace_id, false)[0]?.content),
    {},
  );
});

test('the file, its log and its directory are readable by the owner alone', () => {
  const { store, path } = newStore();
  store.push(sampleSpan());
  store.tick?.(1_000_000_000n);
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  store.close?.();
});

test('a store that others could read is closed to them', () => {
  const { store, path } = newStore();
  store.close?.();
  chmodSync(path, 0o644);
  reading(path, () => assert.equal(statSync(path).mode & 0o777, 0o600));
});

test('a trace is summed up in the list', () => {
  const { store, path } = newStore();
  const root = sampleSpan().span_id;
  const child = (span_id: number, part: Partial<Span>) =>
    store.push(sampleSpan({ span_id: hexId(span_id, 16), parent_span_id: root, ...part }));
  child(1, {
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 7,
    },
    end_unix_ns: 1_700_000_009_000_000_000n,
  });
  child(2, { attributes: { 'gen_ai.operation.name': 'execute_tool' }, status: { code: 'error', message: undefined } });
  child(3, { attributes: { 'undersight.correlation.requested': false } });
  store.push(sampleSpan({ attributes: { 'gen_ai.agent.name': 'demo' } }));
  store.close?.();
  const list = reading(path, (traces) => traces.listTraces({}, 10));
  assert.deepEqual(list, [
    {
      trace_id: sampleSpan().trace_id,
      agent: 'demo',
      has_root: true,
      start_unix_ns: 1_700_000_000_000_000_000n,
      end_unix_ns: 1_700_000_009_000_000_000n,
      span_count: 4,
      llm_call_count: 1,
      tool_call_count: 1,
      input_tokens: 100,
      output_tokens: 7,
      error_count: 1,
      not_requested_count: 1,
    },
  ]);
});

test('traces are listed by agent, time and number, and found by the beginning of their id', () => {
  const { store, path } = newStore();
  for (let index = 1; index <= 4; index++) {
    store.push(
      sampleSpan({
        trace_id: `${index}${'a'.repeat(31)}`,
        start_unix_ns: BigInt(index) * 1000n,
        end_unix_ns: BigInt(index) * 1000n + 1n,
        attributes: { 'gen_ai.agent.name': index % 2 ? 'odd' : 'even' },
      }),
    );
  }
  store.close?.();
  reading(path, (traces) => {
    const heads = (list: readonly { trace_id: string }[]) => list.map(({ trace_id }) => trace_id[0]).join('');
    assert.equal(heads(traces.listTraces({}, 10)), '4321');
    assert.equal(heads(traces.listTraces({}, 2)), '43');
    assert.equal(heads(traces.listTraces({ agent: 'odd' }, 10)), '31');
    assert.equal(heads(traces.listTraces({ since_unix_ns: 3000n }, 10)), '43');
    assert.equal(heads(traces.listTraces({ before_unix_ns: 3000n }, 10)), '21');
    assert.deepEqual(traces.findTraces('2AA', 10), [`2${'a'.repeat(31)}`]);
    assert.deepEqual(traces.findTraces("'; --", 10), []);
  });
});

test('a span that comes twice is stored once', () => {
  const { store, path, counters } = newStore();
  store.push(sampleSpan());
  store.push(sampleSpan());
  store.close?.();
  assert.equal(counters.get('store.duplicate_span'), 1);
  assert.equal(
    reading(path, (traces) => traces.listTraces({}, 1)[0]?.span_count),
    1,
  );
});

test('removing a trace leaves nothing of it in the files, and keeps what others hold', () => {
  const { store, path } = newStore();
  const secret = 'the-secret-plan-'.repeat(8);
  const shared = `"${'shared '.repeat(20)}"`;
  const other_id = 'f'.repeat(32);
  store.push(sampleSpan({ content: { prompt: `["${secret}",${shared}]` }, name: 'only-in-the-first' }));
  store.push(sampleSpan({ trace_id: other_id, content: { prompt: `[${shared}]` } }));
  store.close?.();
  reading(path, (traces) => {
    assert.equal(traces.removeTraces([sampleSpan().trace_id, 'e'.repeat(32)]), 1);
    assert.deepEqual(traces.selectTraces({}), [other_id]);
    assert.deepEqual(traces.readTrace(sampleSpan().trace_id, true), []);
    assert.equal(traces.readTrace(other_id, true)[0]?.content.prompt, `[${shared}]`);
    for (const file of [path, `${path}-wal`]) {
      const bytes = readFileSync(file, 'latin1');
      assert.ok(!bytes.includes('the-secret-plan'), file);
      assert.ok(!bytes.includes('only-in-the-first'), file);
    }
  });
});

test('traces that ended longer ago than max_age go', () => {
  const { store, path, counters } = newStore({ max_age: 60_000_000_000n });
  store.push(sampleSpan());
  store.push(sampleSpan({ trace_id: '1'.repeat(32), end_unix_ns: 1_700_000_090_000_000_000n }));
  store.close?.();
  assert.deepEqual(
    reading(path, (traces) => traces.selectTraces({})),
    ['1'.repeat(32)],
  );
  assert.equal(counters.get('store.expired_trace'), 1);
});

test('the oldest traces go when the store grows past max_bytes', () => {
  const { store, path, counters } = newStore({ max_bytes: 1_000_000 });
  for (let trace = 1; trace <= 20; trace++) {
    for (const span of conversation(60, hexId(trace, 32))) {
      const text = `${noise(trace * 1000 + Number.parseInt(span.span_id, 16), 2000)}`;
      store.push({ ...span, end_unix_ns: span.end_unix_ns + BigInt(trace), content: { text } });
    }
    for (let second = 0; second < 8; second++) store.tick?.(BigInt(trace * 100 + second * 2) * 1_000_000_000n);
  }
  store.close?.();
  const kept = reading(path, (traces) => traces.selectTraces({})).sort();
  assert.ok(statSync(path).size < 1_100_000, `${statSync(path).size} bytes`);
  assert.ok(kept.length >= 3 && kept.at(-1) === hexId(20, 32), kept.join());
  assert.equal(counters.get('store.removed_trace'), 20 - kept.length);
});

test('a trace that alone is too large loses its end, which is told and counted', () => {
  const { store, path, counters, warnings } = newStore({ max_bytes: 300_000 });
  for (let index = 0; index < 1024; index++) {
    store.push(sampleSpan({ span_id: hexId(index, 16), content: { text: noise(index, 2000) } }));
  }
  store.close?.();
  const stored = reading(path, (traces) => traces.readTrace(sampleSpan().trace_id, false).length);
  assert.ok(stored > 0);
  assert.equal(counters.get('store.too_large'), 1024 - stored);
  assert.equal(warnings.length, 1);
});

test('several processes may write at once', async () => {
  const path = join(directory, 'shared', 'traces.db');
  const script = `
    import { createStore } from '${import.meta.resolve('../../../src/export/store/store.ts')}';
    import { createCounters } from '${import.meta.resolve('../../../src/health/counters.ts')}';
    import { sampleSpan, hexId } from '${import.meta.resolve('./sample-spans.ts')}';
    const warn = (text) => { console.error(text); process.exitCode = 1; };
    const store = createStore({ path: ${JSON.stringify(path)}, max_age: 2n ** 62n, max_bytes: 1e9, counters: createCounters(), warn });
    for (let n = 1; n <= 1000; n++) {
      store.push(sampleSpan({ trace_id: process.argv[1].repeat(32), span_id: hexId(n, 16), content: { c: 'the same text '.repeat(9) + n % 50 } }));
      if (n % 50 === 0) store.tick(BigInt(n) * 1000000000n);
    }
    store.close();`;
  const write = (digit: string) =>
    new Promise<[number | null, string]>((resolve) => {
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, digit]);
      let said = '';
      child.stderr.on('data', (data) => {
        said += data;
      });
      child.on('close', (code) => resolve([code, said]));
    });
  const results = await Promise.all(['1', '2', '3'].map(write));
  assert.deepEqual(results, Array(3).fill([0, '']));
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

test('a full disk is told once and counted, and the run goes on', () => {
  const { path } = newStore();
  const { store, counters, warnings } = newStore({ path });
  // What SQLite answers when a page limit is hit is what it answers when the disk is full.
  const limited = new DatabaseSync(path);
  limited.exec("CREATE TRIGGER full BEFORE INSERT ON span BEGIN SELECT raise(ABORT, 'database or disk is full'); END");
  limited.close();
  for (let index = 0; index < 600; index++) store.push(sampleSpan({ span_id: hexId(index, 16) }));
  store.close?.();
  assert.equal(counters.get('store.write_failed'), 600);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /cannot be written: database or disk is full; spans are missing/);
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

test('there are no stored traces where there is no store', () => {
  assert.equal(openStoredTraces(join(directory, 'nowhere.db')), undefined);
});
