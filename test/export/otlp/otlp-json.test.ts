import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOtlpJson } from '../../../src/export/otlp/otlp-json.ts';
import { readOtlp } from '../../e2e/trace.ts';
import { resource, sampleSpan } from '../store/sample-spans.ts';

const span = sampleSpan({
  parent_span_id: '00000000000000ff',
  parent_is_remote: true,
  trace_state: 'vendor=1',
  kind: 'client',
  start_unix_ns: 1_700_000_000_123_456_789n,
  end_unix_ns: 1_700_000_001_000_000_001n,
  attributes: {
    text: 'ü',
    int: 2n ** 53n,
    huge: 2n ** 64n,
    double: 0.5,
    none: Number.NaN,
    flag: false,
    list: ['a', 'b'],
  },
  content: { 'gen_ai.input.messages': '[]' },
  events: [{ name: 'event', time_unix_ns: 1_700_000_000_500_000_000n, attributes: { a: 1 } }],
  links: [{ trace_id: '11'.repeat(16), span_id: '22'.repeat(8), trace_state: undefined, attributes: {} }],
  status: { code: 'error', message: 'broken' },
});

test('a span in OTLP/JSON has everything, to the nanosecond', () => {
  const json = encodeOtlpJson([span], { content: false });
  assert.ok(json.endsWith('\n') && !json.slice(0, -1).includes('\n'));
  const [read] = readOtlp(JSON.parse(json));
  assert.deepEqual(read, {
    trace_id: span.trace_id,
    span_id: span.span_id,
    parent_span_id: span.parent_span_id,
    name: span.name,
    kind: 3,
    start_ns: span.start_unix_ns,
    end_ns: span.end_unix_ns,
    attributes: { text: 'ü', int: 2 ** 53, huge: 2 ** 63 - 1024, double: 0.5, flag: false, list: ['a', 'b'] },
    status_code: 2,
    status_message: 'broken',
    events: [{ name: 'event', attributes: { a: 1 } }],
    links: [{ trace_id: '11'.repeat(16), span_id: '22'.repeat(8) }],
    resource: resource.attributes,
    children: [],
  });
});

test('content is there when asked for, and takes the place of what stood for it', () => {
  const hidden = sampleSpan({ attributes: { args: ['[content]'] }, content: { args: ['sh', '-c', 'x'] } });
  const read = (content: boolean) => readOtlp(JSON.parse(encodeOtlpJson([hidden], { content })))[0]?.attributes;
  assert.deepEqual(read(false), { args: ['[content]'] });
  assert.deepEqual(read(true), { args: ['sh', '-c', 'x'] });
});

test('spans of one resource stand together under it, with scope and schema', () => {
  const other = { attributes: { 'service.name': 'other' } };
  const document = JSON.parse(
    encodeOtlpJson([span, sampleSpan({ resource: other }), sampleSpan()], { content: false }),
  );
  assert.deepEqual(
    document.resourceSpans.map((group: { scopeSpans: { spans: unknown[] }[] }) => group.scopeSpans[0]?.spans.length),
    [2, 1],
  );
  const [{ scope, schemaUrl }] = document.resourceSpans[0].scopeSpans;
  assert.equal(scope.name, 'undersight');
  assert.equal(schemaUrl, 'https://opentelemetry.io/schemas/1.41.0');
});

test('no spans are an empty request', () => {
  assert.equal(encodeOtlpJson([], { content: true }), '{"resourceSpans":[]}\n');
});
