import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createStore, type StoreStageOptions } from '../../../src/export/store/store.ts';
import { openStoredTraces, type StoredTraces } from '../../../src/export/store/stored-traces.ts';
import { createCounters } from '../../../src/health/counters.ts';
import type { Span } from '../../../src/model/span.ts';
import { hexId, sampleSpan } from './sample-spans.ts';

export const directory = mkdtempSync(join(tmpdir(), 'undersight-store-'));
after(() => rmSync(directory, { recursive: true }));
let stores = 0;

/** A store of its own, with what it counts and tells. */
export function newStore(part: Partial<StoreStageOptions> = {}) {
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

/** Opens the store at `path` for `read`. */
export function reading<T>(path: string, read: (traces: StoredTraces) => T): T {
  const traces = openStoredTraces(path);
  assert.ok(traces);
  try {
    return read(traces);
  } finally {
    traces.close();
  }
}

/** A long conversation: every request repeats all messages before it. */
export function conversation(calls: number, trace_id = sampleSpan().trace_id): Span[] {
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
export function noise(seed: number, length: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return String.fromCharCode(33 + (state % 90));
  }).join('');
}
