import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createConsoleExporter } from '../../../src/export/console/console-exporter.ts';
import { consoleOptionsSchema } from '../../../src/export/console/options.ts';
import { renderJson } from '../../../src/export/console/render-json.ts';
import { createCounters } from '../../../src/health/counters.ts';
import { spansOf, turn } from '../../spans/sample-activities.ts';
import { anySpan, hexId, sampleSpan } from '../store/sample-spans.ts';

function start(options: object = {}, env = {}) {
  const printed: string[] = [];
  const counters = createCounters();
  const terminal = { color: false, width: 100, out: (text: string) => void printed.push(text) };
  return {
    printed,
    exporter: createConsoleExporter(consoleOptionsSchema.parse(options), { terminal, counters, env }),
  };
}

test('a trace is printed once its root has come, whole', () => {
  const { exporter, printed } = start();
  for (const span of spansOf(turn.slice(0, -1)).spans) exporter.push(span);
  exporter.tick?.(1n);
  assert.deepEqual(printed, []);
  for (const span of spansOf(turn.slice(-1)).spans) exporter.push(span);
  exporter.tick?.(2n);
  assert.equal(printed.length, 1);
  assert.match(printed[0] ?? '', /^invoke_agent demo-agent(.*\n){8}trace \w+ · 8 spans .*\n\n$/);
  exporter.close?.();
  assert.equal(printed.length, 1);
});

test('what never got its root is printed at the end', () => {
  const { exporter, printed } = start();
  exporter.push(sampleSpan({ parent_span_id: hexId(9, 16), name: 'left over' }));
  exporter.close?.();
  assert.match(printed.join(''), /left over .*\(its parent is missing\)/);
});

test('a root that joined a remote trace is a root', () => {
  const { exporter, printed } = start();
  exporter.push(sampleSpan({ parent_span_id: hexId(9, 16), parent_is_remote: true }));
  exporter.tick?.(1n);
  assert.equal(printed.length, 1);
  assert.doesNotMatch(printed.join(''), /missing/);
});

test('content is printed only when asked for', () => {
  const span = sampleSpan({
    attributes: { 'gen_ai.operation.name': 'chat' },
    content: { 'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"my secret prompt"}]}]' },
  });
  const env = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
  for (const format of ['tree', 'json']) {
    for (const [options, environment, expected] of [
      [{}, {}, false],
      [{ include_content: true }, {}, true],
      [{}, env, true],
    ] as const) {
      const { exporter, printed } = start({ format, ...options }, environment);
      exporter.push(span);
      exporter.close?.();
      assert.equal(printed.join('').includes('my secret prompt'), expected);
    }
  }
});

test('as JSON, each span is one line at once, with its times as texts', () => {
  const { exporter, printed } = start({ format: 'json' });
  exporter.push(sampleSpan({ attributes: { name: 'a\nb\x9b\u202e' } }));
  assert.equal(printed.length, 1);
  assert.match(printed[0] ?? '', /^\{.*"start_unix_ns":"1700000000000000000".*\}\n$/);
  assert.ok(printed[0]?.includes('a\\nb\\u009b\\u202e'));
  assert.equal(JSON.parse(printed[0] ?? '').attributes.name, 'a\nb\x9b\u202e');
});

test('any spans at all are JSON lines without a control character', () => {
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 4 }), (spans) => {
      const lines = renderJson(spans, { content: true }).split('\n').slice(0, -1);
      assert.equal(lines.length, spans.length);
      for (const line of lines) {
        JSON.parse(line);
        assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}]/u);
      }
    }),
    { numRuns: 100 },
  );
});
