import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { hexId, sampleSpan } from './sample-spans.ts';
import { conversation, newStore, noise, reading } from './store-fixture.ts';

test('a message that every request repeats is stored once', () => {
  const { store, path } = newStore();
  for (const span of conversation(60)) store.push(span);
  store.close?.();
  // 60 messages of 2 kB; as they came they would take 3.7 MB.
  assert.ok(statSync(path).size < 400_000, `${statSync(path).size} bytes`);
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
