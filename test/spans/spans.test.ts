import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { Activity } from '../../src/model/activity.ts';
import type { Span } from '../../src/model/span.ts';
import { spansOptionsSchema } from '../../src/spans/options.ts';
import { createSpans } from '../../src/spans/spans.ts';
import { checkTracestate, parseTraceparent } from '../../src/spans/trace-context.ts';
import * as sample from './sample-activities.ts';
import { mcpCall } from './sample-mcp-call.ts';

const REMOTE = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331' };
const traceparent = (flags: string) => `00-${REMOTE.trace_id}-${REMOTE.span_id}-${flags}`;

function byName(spans: readonly Span[], name: string): Span {
  return spans.find((span) => span.name === name) ?? assert.fail(`no span ${name}`);
}

test('a turn becomes one trace in which every effect hangs under what caused it', () => {
  const { spans, counts } = sample.spansOf(sample.turn);
  assert.deepEqual(counts, {});
  const names = new Map(spans.map((span) => [span.span_id, span.name]));
  assert.deepEqual(
    spans.map((span) => [span.name, span.kind, names.get(span.parent_span_id ?? '')]),
    [
      ['chat gpt-5-mini', 'client', 'invoke_agent demo-agent'],
      ['read workspace', 'internal', 'cat'],
      ['connect external', 'client', 'cat'],
      ['cat', 'internal', 'execute_tool shell cat'],
      ['execute_tool shell cat', 'internal', 'chat gpt-5-mini'],
      ['id', 'internal', 'chat gpt-5-mini'],
      ['chat gpt-5-mini', 'client', 'invoke_agent demo-agent'],
      ['invoke_agent demo-agent', 'internal', undefined],
    ],
  );
  assert.equal(new Set(spans.map(({ trace_id }) => trace_id)).size, 1);
});

test('ids derive from what was observed, so that a replay gives the same', () => {
  const span = sample.spanOf(sample.tool);
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.equal(span.trace_id, digest('trace:turn-1').slice(0, 32));
  assert.equal(span.span_id, digest('span:tool-1').slice(0, 16));
  assert.equal(span.parent_span_id, digest('span:chat-1').slice(0, 16));
});

test('kernel time becomes wall-clock time, and no span is shorter than a nanosecond', () => {
  const span = sample.spanOf({ ...sample.file, start_ns: 5n, end_ns: 5n });
  assert.equal(span.start_unix_ns, sample.UNIX_OFFSET_NS + 5n);
  assert.equal(span.end_unix_ns, sample.UNIX_OFFSET_NS + 6n);
  const backwards = sample.spanOf({ ...sample.file, start_ns: 5n, end_ns: 1n });
  assert.equal(backwards.end_unix_ns - backwards.start_unix_ns, 1n);
});

test('what comes before the session is counted, not dated wrongly', () => {
  const spans: Span[] = [];
  const counters = createCounters();
  const options = { ...spansOptionsSchema.parse({}), counters };
  createSpans(options, { push: (span) => void spans.push(span) }).push(sample.file);
  assert.deepEqual(spans, []);
  assert.equal(counters.get('spans.no_session'), 1);
});

test('a traceparent makes the turn part of that trace: its root hangs under the remote span', () => {
  const joined = sample.turn.map((activity) => ({ ...activity, traceparent: traceparent('01'), tracestate: 'a=b' }));
  const { spans } = sample.spansOf(joined);
  for (const span of spans) {
    assert.equal(span.trace_id, REMOTE.trace_id);
    assert.equal(span.trace_state, 'a=b');
    assert.equal(span.parent_is_remote, span.name.startsWith('invoke_agent'));
    assert.equal(span.sampled, undefined);
  }
  assert.equal(byName(spans, 'invoke_agent demo-agent').parent_span_id, REMOTE.span_id);
});

test('a remote parent that is not sampled marks the spans, unless all are wanted', () => {
  const activity = { ...sample.root, traceparent: traceparent('00') };
  assert.equal(sample.spanOf(activity).sampled, false);
  assert.equal(sample.spanOf(activity, { sampling: 'all' }).sampled, undefined);
});

test('a traceparent that is none is counted, and the turn keeps its own trace', () => {
  const { spans, counts } = sample.spansOf([{ ...sample.root, traceparent: '00-zz' }]);
  assert.equal(spans[0]?.trace_id, sample.spanOf(sample.root).trace_id);
  assert.deepEqual(counts, { 'spans.traceparent_invalid': 1 });
});

// https://www.w3.org/TR/trace-context/#traceparent-header-field-values
for (const text of [
  `ff-${REMOTE.trace_id}-${REMOTE.span_id}-01`,
  `00-${'0'.repeat(32)}-${REMOTE.span_id}-01`,
  `00-${REMOTE.trace_id}-${'0'.repeat(16)}-01`,
  `00-${REMOTE.trace_id}-${REMOTE.span_id}-01-more`,
  `00-${REMOTE.trace_id.toUpperCase()}-${REMOTE.span_id}-01`,
  '',
]) {
  test(`"${text}" is no traceparent`, () => assert.equal(parseTraceparent(text), undefined));
}

test('a traceparent of a later version may say more', () => {
  const parsed = parseTraceparent(`01-${REMOTE.trace_id}-${REMOTE.span_id}-03-more`);
  assert.deepEqual(parsed, { ...REMOTE, sampled: true });
});

test('a tracestate that would break a header is left out', () => {
  assert.equal(checkTracestate('a=b,c=d'), 'a=b,c=d');
  assert.equal(checkTracestate('a=b\r\nX: y'), undefined);
  assert.equal(checkTracestate('a='.padEnd(600, 'x')), undefined);
});

test('the parent of a single call becomes a link on its chat', () => {
  const span = sample.spanOf({ ...sample.chat, linked_traceparent: traceparent('01') });
  assert.deepEqual(span.links, [{ ...REMOTE, trace_state: undefined, attributes: {} }]);
});

test('what goes on in the next turn is a span linked to the one before', () => {
  const open: Activity = { ...sample.process, open: true, exit_code: undefined };
  const next: Activity = { ...sample.process, id: 'process-1/2', turn_id: 'turn-2', continues: open.id };
  const { spans, counts } = sample.spansOf([open, next]);
  assert.equal(spans[0]?.attributes['undersight.open'], true);
  assert.equal(spans[1]?.attributes['undersight.open'], undefined);
  assert.notEqual(spans[1]?.trace_id, spans[0]?.trace_id);
  assert.deepEqual(spans[1]?.links, [
    { trace_id: spans[0]?.trace_id, span_id: spans[0]?.span_id, trace_state: undefined, attributes: {} },
  ]);
  assert.deepEqual(counts, {});
  assert.deepEqual(sample.spansOf([next]).counts, { 'spans.link_unknown': 1 });
});

test('as siblings, a tool call stands beside the chat that asked for it, with a link to it', () => {
  const { spans, counts } = sample.spansOf(sample.turn, { topology: 'siblings' });
  const tool = byName(spans, 'execute_tool shell cat');
  const chat = byName(spans, 'chat gpt-5-mini');
  assert.equal(tool.parent_span_id, byName(spans, 'invoke_agent demo-agent').span_id);
  assert.deepEqual(tool.links, [
    { trace_id: chat.trace_id, span_id: chat.span_id, trace_state: undefined, attributes: {} },
  ]);
  assert.equal(byName(spans, 'cat').parent_span_id, tool.span_id);
  assert.equal(byName(spans, 'id').parent_span_id, chat.span_id);
  assert.deepEqual(counts, {});
});

test('spans of one agent share one resource object', () => {
  const copies = sample.turn.map((activity) => ({ ...activity, agent: { ...sample.agent } }));
  const { spans } = sample.spansOf(copies);
  assert.equal(new Set(spans.map(({ resource }) => resource)).size, 1);
});

test('a call of an MCP server links to the parent that it names, unless its turn has that', () => {
  const call = { ...mcpCall, traceparent: traceparent('01'), tracestate: 'a=b' };
  for (const activity of [
    { ...sample.mcp, call },
    { ...sample.tool, mcp: call },
  ]) {
    const { links } = sample.spanOf(activity);
    assert.deepEqual(
      links.map(({ trace_id, span_id, trace_state }) => ({ trace_id, span_id, trace_state })),
      [{ ...REMOTE, trace_state: 'a=b' }],
    );
    assert.deepEqual(sample.spanOf({ ...activity, traceparent: traceparent('01') }).links, []);
  }
});
