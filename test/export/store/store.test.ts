import assert from 'node:assert/strict';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { openStoredTraces } from '../../../src/export/store/stored-traces.ts';
import type { Span } from '../../../src/model/span.ts';
import { anySpan, hexId, sampleSpan } from './sample-spans.ts';
import { directory, newStore, reading } from './store-fixture.ts';

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
      'gen_ai.usage.cost': 0.25,
    },
    end_unix_ns: 1_700_000_009_000_000_000n,
  });
  child(4, { attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.cost': 0.5 } });
  child(5, { attributes: { 'gen_ai.operation.name': 'chat' } });
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
      span_count: 6,
      llm_call_count: 3,
      tool_call_count: 1,
      input_tokens: 100,
      output_tokens: 7,
      error_count: 1,
      not_requested_count: 1,
      cost_usd: 0.75,
    },
  ]);
});

test('a store of an older version goes on, with what it lacks left open', () => {
  const { store, path } = newStore();
  store.push(sampleSpan());
  store.close?.();
  const database = new DatabaseSync(path);
  database.exec('ALTER TABLE trace DROP COLUMN cost_usd; PRAGMA user_version = 1');
  database.close();
  assert.equal(reading(path, (traces) => traces.listTraces({}, 10))[0]?.cost_usd, null);
  const { store: again } = newStore({ path });
  const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.cost': 0.5 };
  again.push(sampleSpan({ span_id: hexId(7, 16), attributes }));
  again.close?.();
  assert.equal(reading(path, (traces) => traces.listTraces({}, 10))[0]?.cost_usd, 0.5);
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

test('there are no stored traces where there is no store', () => {
  assert.equal(openStoredTraces(join(directory, 'nowhere.db')), undefined);
});
