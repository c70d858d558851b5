import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { textWidth } from '../../../src/export/console/printable-text.ts';
import { renderTree } from '../../../src/export/console/render-tree.ts';
import type { Activity } from '../../../src/model/activity.ts';
import * as sample from '../../spans/sample-activities.ts';
import { mcpCall } from '../../spans/sample-mcp-call.ts';
import { anySpan, hexId, sampleSpan } from '../store/sample-spans.ts';

const plain = { color: false, width: 100, content: false };
const tree = (activities: readonly Activity[], look = plain) => renderTree(sample.spansOf(activities).spans, look);

test('a trace is a tree in which one sees what was asked, what ran, and what nobody asked for', () => {
  assert.equal(
    tree(sample.turn),
    `
invoke_agent demo-agent  2 calls · 1 tool call · 11k (9.2k cached) → 164 tokens · $0.00097     2.49s
├─ chat gpt-5-mini  5.1k (4.1k cached) → 64 tokens · first chunk 230ms · tool_calls · $0.000…  790ms
│  ├─ execute_tool shell cat                                                                   500ms
│  │  └─ cat orders.json  exit 0                                                               400ms
│  │     ├─ read workspace  orders.json  640 B                                                   1ms
│  │     └─ connect external  example.com:443  517 B sent · 12 kB received                     250ms
│  └─ id -un  exit 0  ! not requested                                                            4ms
└─ chat gpt-5-mini  5.1k (4.1k cached) → 64 tokens · first chunk 230ms · tool_calls · $0.000…  1.10s
trace 1daea4638dee · 8 spans · 1 not requested
`.slice(1),
  );
});

test('with content, one sees what was said, the arguments and the results', () => {
  assert.equal(
    tree([sample.chat, sample.tool], { ...plain, width: 80, content: true }),
    `
chat gpt-5-mini  5.1k (4.1k cached) → 64 tokens…  (its parent is missing)  790ms
│   user: Check the orders
│   assistant (reasoning): Hm
│   assistant: calls shell {"command":"cat orders.json"}
└─ execute_tool shell cat  {"command":"cat orders.json"}                   500ms
       result: orders\\n
trace 1daea4638dee · 2 spans
`.slice(1),
  );
});

test('errors, losses and what goes on are marked', () => {
  const rendered = tree([
    { ...sample.root, left_out_count: 1200, lost_events: 1, open: true },
    {
      ...sample.chat,
      call: {
        ...sample.call,
        response: undefined,
        http_status: 429,
        error: { type: 'rate_limit', message: 'secret' },
        gaps: [{ reason: 'lost_bytes', bytes: 2048, detail: '' }],
      },
    },
    { ...sample.process, parent_id: 'turn', exit_code: 2, blind_spots: ['io_uring'] },
    { ...sample.process, parent_id: 'turn', id: 'p2', args: ['sleep', '9'], signal: 9 },
    { ...sample.file, parent_id: 'turn', operation: 'rename', new_path: '/etc/x', count: 3, bytes_read: 0n },
    { ...sample.file, parent_id: 'turn', id: 'f2', error_type: 'ENOENT', bytes_read: 0n },
    { ...sample.network, parent_id: 'turn', server_name: undefined, unread_protocol: 'http2', count: 4 },
  ]);
  assert.equal(
    rendered,
    `
invoke_agent demo-agent  2 calls · 1 tool cal…  ! 1 event lost  +1.2k left out  still running  2.49s
├─ chat gpt-5-mini  first chunk 230ms · HTTP 429  ✗ rate_limit  ! 2 kB missing (lost_bytes)    790ms
├─ cat orders.json  ✗ exit 2  ! blind to io_uring                                              400ms
├─ cat 9  ✗ SIGKILL                                                                            400ms
├─ rename workspace  orders.json → /etc/x  ×3                                                    1ms
├─ read workspace  orders.json  ENOENT                                                           1ms
└─ connect external  93.184.215.14:443  517 B sent · 12 kB received · ×4  ! http2 not read     250ms
trace 1daea4638dee · 7 spans · 3 errors
`.slice(1),
  );
});

test('below what nobody asked for the mark is not repeated, nor counted', () => {
  const correlation = { signals: ['lineage'], score: 1, matched: undefined, requested: false } as const;
  const above = { ...sample.process, correlation };
  const rendered = tree([above, { ...sample.file, parent_id: above.id, correlation }]);
  assert.equal(rendered.split('! not requested').length, 2);
  assert.match(rendered, / 1 not requested\n$/);
});

test('without a width nothing is cut, and durations follow what they are of', () => {
  const path = `/work/${'long/'.repeat(100)}name`;
  const rendered = tree([{ ...sample.file, path }], { ...plain, width: Number.POSITIVE_INFINITY });
  assert.match(rendered, /\/name {2}640 B {2}\(its parent is missing\) {2}1ms\n/);
});

test('the busiest connection has a line, however many files there are', () => {
  const files = Array.from({ length: 60 }, (_, index) => ({
    ...sample.file,
    id: `f${index}`,
    parent_id: 'turn',
    operation: 'create' as const,
    correlation: { signals: ['lineage'], score: 1, matched: undefined, requested: false } as const,
  }));
  const rendered = tree([sample.root, ...files, { ...sample.network, parent_id: 'turn' }]);
  assert.match(rendered, /connect external/);
});

test('embeddings have no output', () => {
  const call = { ...sample.call, request: { ...sample.call.request, operation: 'embeddings' as const } };
  const response = call.response && { ...call.response, usage: { input_tokens: 3 } };
  assert.match(tree([{ ...sample.chat, call: { ...call, response } }]), / 3 tokens /);
});

test('hostile text cannot move the cursor, change colours or turn its direction', () => {
  const hostile = '\x1b[2J\x9b31m\r\n\u202egnp.exe\u2066\ud800\0';
  const rendered = tree([
    { ...sample.root, agent: { ...sample.agent, name: hostile } },
    { ...sample.process, parent_id: 'turn', args: ['cat', hostile] },
    { ...sample.file, parent_id: 'turn', path: `/work/${hostile}` },
  ]);
  assert.match(rendered, /\\x1b\[2J\\x9b31m\\r\\n\\u202egnp\.exe\\u2066/);
  assert.equal(rendered.split('\n').length, 5, 'no line breaks but ours');
  for (const line of rendered.split('\n')) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}]/u);
});

test('colours come only when asked for, and cover what is inside a line', () => {
  assert.ok(!tree(sample.turn).includes('\x1b'));
  const colored = tree(sample.turn, { ...plain, color: true });
  assert.equal(stripVTControlCharacters(colored), tree(sample.turn));
  for (const line of colored.split('\n')) assert.ok(line === '' || line.endsWith('\x1b[0m') || !line.includes('\x1b'));
  assert.ok(colored.includes('\x1b[1;33m! not requested\x1b[0m'));
});

test('wide and combining characters keep lines within the width', () => {
  const name = `${'漢字'.repeat(40)}e${'\u0301'.repeat(50)}`;
  const lines = tree([{ ...sample.file, path: `/work/${name}` }], { ...plain, width: 60 }).split('\n');
  assert.equal(textWidth(lines[0] ?? ''), 60);
  assert.match(lines[0] ?? '', /[漢字]…/);
});

test('spans without their root are printed too, each as a tree of its own', () => {
  const rendered = tree([sample.process, sample.file, sample.secondChat]);
  assert.equal(rendered.split('(its parent is missing)').length - 1, 2);
  assert.match(rendered, /└─ read workspace/);
});

test('spans that are their own ancestors end, and are printed once', () => {
  const a = sampleSpan({ span_id: hexId(1, 16), parent_span_id: hexId(2, 16), name: 'a' });
  const b = sampleSpan({ span_id: hexId(2, 16), parent_span_id: hexId(1, 16), name: 'b' });
  assert.equal(renderTree([a, b], plain).split('\n').length, 4);
});

test('of very many effects the most interesting get a line, the rest a count', () => {
  const files = Array.from({ length: 200 }, (_, index) => ({ ...sample.file, id: `f${index}` }));
  const denied = { ...sample.file, id: 'denied', error_type: 'EACCES' };
  const rendered = tree([sample.process, ...files, denied]);
  assert.match(rendered, /✗ EACCES/);
  assert.match(rendered, /└─ … 161 more: 161 read workspace\n/);
  assert.match(rendered, /202 spans/);
});

test('traces follow each other in time', () => {
  const later = sampleSpan({ trace_id: 'ff'.repeat(16), name: 'later', start_unix_ns: 1_700_000_000_500_000_000n });
  const rendered = renderTree([later, sampleSpan({ name: 'earlier' })], plain);
  assert.ok(rendered.indexOf('earlier') < rendered.indexOf('later'));
});

test('any spans at all are printed without a control character', () => {
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 5 }), fc.integer({ min: 0, max: 200 }), (spans, width) => {
      const rendered = renderTree(spans, { color: false, width, content: true });
      assert.doesNotMatch(rendered.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
    { numRuns: 100 },
  );
});

test('calls of MCP servers say what is asked of whom, and how they failed', () => {
  const call = (fields: object) => ({
    ...sample.mcp,
    id: JSON.stringify(fields),
    call: { ...mcpCall, ...fields },
  });
  const failed = { error: { type: '400', code: undefined, message: 'Bad session' } };
  const rendered = tree([
    sample.root,
    call({}),
    call({ method: 'tools/list', resource_uri: undefined, ...failed }),
    call({ method: 'sampling/createMessage', resource_uri: undefined, sender: 'server', notification_count: 2 }),
  ]);
  assert.equal(
    rendered,
    `
invoke_agent demo-agent  2 calls · 1 tool call · 11k (9.2k cached) → 164 tokens                2.49s
├─ resources/read  file:///work/notes.txt · to demo-server                                      50ms
├─ tools/list  to demo-server  ✗ HTTP 400                                                       50ms
└─ sampling/createMessage  from demo-server · 2 notifications                                   50ms
trace 1daea4638dee · 4 spans · 1 error
`.slice(1),
  );
});
