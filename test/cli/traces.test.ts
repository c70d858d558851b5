import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createStore } from '../../src/export/store/store.ts';
import { createCounters } from '../../src/health/counters.ts';
import { sampleSpan } from '../export/store/sample-spans.ts';
import { launch } from './launch.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-traces-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'traces.db');
const env = { UNDERSIGHT_STORE: path };
const ids = [`aa${'0'.repeat(30)}`, `ab${'0'.repeat(30)}`, `b${'c'.repeat(31)}`] as const;

before(() => {
  const store = createStore({
    path,
    max_age: 2n ** 62n,
    max_bytes: 1e9,
    counters: createCounters(),
    warn: assert.fail,
  });
  for (const [index, trace_id] of ids.entries()) {
    store.push(
      sampleSpan({
        trace_id,
        name: 'chat some-model',
        attributes: { 'gen_ai.agent.name': index === 2 ? 'evil\x1b[2J' : 'demo', 'gen_ai.operation.name': 'chat' },
        content: {
          'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"my secret prompt"}]}]',
        },
        start_unix_ns: 1_700_000_000_000_000_000n + BigInt(index) * 60_000_000_000n,
        end_unix_ns: 1_700_000_001_500_000_000n + BigInt(index) * 60_000_000_000n,
      }),
    );
  }
  store.close?.();
});

test('ls prints a table, the newest first, without what could upset a terminal', async () => {
  const { code, stdout } = await launch(['traces', 'ls'], { env: { ...env, TZ: 'UTC' } });
  assert.equal(code, 0);
  const [head, ...rows] = stdout.trimEnd().split('\n');
  assert.match(head ?? '', /^TRACE +AGENT +STARTED +TOOK +LLM CALLS/);
  assert.match(rows[0] ?? '', /^bccccccccccc {2}evil\\x1b\[2J {2}2023-11-14 22:15:20 +1\.50s +1 /);
  assert.equal(rows.length, 3);
});

test('ls filters, and prints JSON', async () => {
  const { stdout } = await launch(['traces', 'ls', '--agent', 'demo', '-n', '1', '--json'], { env });
  const list = JSON.parse(stdout);
  assert.deepEqual(
    list.map(({ trace_id }: { trace_id: string }) => trace_id),
    [ids[1]],
  );
  assert.equal(list[0].start_unix_ns, '1700000060000000000');
  const since = await launch(['traces', 'ls', '--since', '2023-11-14T22:15:00Z', '--json'], { env });
  assert.equal(JSON.parse(since.stdout).length, 1);
});

test('a time or a number that is none is a usage error', async () => {
  const since = await launch(['traces', 'ls', '--since', 'yesterday'], { env });
  assert.equal(since.code, 2);
  assert.match(since.stderr, /^undersight: --since "yesterday" is no time\n {2}Use so long ago/);
  assert.equal((await launch(['traces', 'ls', '-n', 'many'], { env })).code, 2);
});

test('ls of a store that is not there yet says so, and is no failure', async () => {
  const missing = join(directory, 'none.db');
  const { code, stdout, stderr } = await launch(['traces', 'ls', '--store', missing]);
  assert.deepEqual([code, stdout, stderr], [0, '', `no traces in ${missing}\n`]);
});

test('show prints content only when it is asked for', async () => {
  for (const format of ['tree', 'json', 'otlp-json']) {
    const plain = await launch(['traces', 'show', 'latest', '--format', format], { env });
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /chat some-model/);
    assert.ok(!plain.stdout.includes('my secret prompt') && !plain.stdout.includes('\x1b'));
    const full = await launch(['traces', 'show', 'latest', '--format', format, '--content'], { env });
    assert.match(full.stdout, /my secret prompt/);
  }
});

test('an id that fits several traces, or none, is refused', async () => {
  const several = await launch(['traces', 'show', 'a'], { env });
  assert.equal(several.code, 1);
  assert.match(several.stderr, /^undersight: several traces begin with a: ab0000000, aa0000000\n {2}Give more digits/);
  const none = await launch(['traces', 'show', 'f00'], { env });
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^undersight: no trace in .* begins with f00\n {2}undersight traces ls/);
  assert.equal((await launch(['traces', 'show', '../x'], { env })).code, 2);
});

test('rm needs to be told which, and then removes them', async () => {
  assert.equal((await launch(['traces', 'rm'], { env })).code, 2);
  assert.equal((await launch(['traces', 'rm', 'aa', '--all'], { env })).code, 2);
  assert.equal((await launch(['traces', 'rm', 'aa', 'f00'], { env })).code, 1);
  const one = await launch(['traces', 'rm', 'aa'], { env });
  assert.deepEqual([one.code, one.stdout], [0, 'removed 1 trace\n']);
  const rest = await launch(['traces', 'rm', '--older-than', '1d'], { env });
  assert.deepEqual([rest.code, rest.stdout], [0, 'removed 2 traces\n']);
});

test('a damaged store is named, with what to do', async () => {
  const damaged = join(directory, 'damaged.db');
  writeFileSync(damaged, 'this is no database, but it is long enough to be looked at '.repeat(100));
  const { code, stdout, stderr } = await launch(['traces', 'ls', '--store', damaged]);
  assert.deepEqual([code, stdout], [1, '']);
  assert.equal(
    stderr,
    `undersight: the trace store ${damaged} is damaged (file is not a database)\n  Move it away to start anew.\n`,
  );
});
