import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSseReader, type SseEvent } from '../../src/protocol/sse.ts';
import { plainCuts, randomCuts } from './cuts.ts';

const STREAM = Buffer.from(
  [
    '\uFEFF: a comment\r\n\r\n',
    'event: message_start\ndata: {"text":"ä€😀"}\n\n',
    'data: two\r\ndata: lines\r\n\r\n',
    'id: 7\nretry: 10\ndata:no space\n\n',
    'event: nothing\n\n',
    'data: [DONE]\n\n',
  ].join(''),
);
const EVENTS: readonly SseEvent[] = [
  { event: 'message_start', data: '{"text":"ä€😀"}' },
  { event: undefined, data: 'two\nlines' },
  { event: undefined, data: 'no space' },
  { event: undefined, data: '[DONE]' },
];

function record(max_event_chars = 1000) {
  const events: SseEvent[] = [];
  const seen = { events, too_large: 0 };
  const reader = createSseReader({
    max_event_chars,
    event: (event) => void events.push(event),
    tooLarge: () => seen.too_large++,
  });
  return { reader, seen };
}

function read(pieces: readonly Uint8Array[]): readonly SseEvent[] {
  const { reader, seen } = record();
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return seen.events;
}

test('events come out the same however the stream is cut', () => {
  for (const { name, pieces } of plainCuts(STREAM)) assert.deepEqual(read(pieces), EVENTS, name);
  fc.assert(
    fc.property(randomCuts(STREAM), (pieces) => assert.deepEqual(read(pieces), EVENTS)),
    { numRuns: 100 },
  );
});

test('an event is told as soon as its blank line has come', () => {
  const { reader, seen } = record();
  reader.push(Buffer.from('data: one\n\ndata: tw'));
  assert.deepEqual(seen.events, [{ event: undefined, data: 'one' }]);
});

test('a whole stream may leave out its last blank line', () => {
  const { reader, seen } = record();
  reader.push(Buffer.from('data: [DONE]'));
  reader.end();
  assert.deepEqual(seen.events, [{ event: undefined, data: '[DONE]' }]);
});

test('after a gap, reading goes on behind the next blank line', () => {
  const { reader, seen } = record();
  reader.push(Buffer.from('data: one\n\ndata: tw'));
  reader.gap();
  for (const piece of ['le of three', '\n', '\ndata: four\n\n']) reader.push(Buffer.from(piece));
  assert.deepEqual(
    seen.events.map(({ data }) => data),
    ['one', 'four'],
  );
});

test('an event that is too large is dropped and told, and the next one is read', () => {
  const { reader, seen } = record(100);
  for (let count = 0; count < 20; count++) reader.push(Buffer.from(`data: ${'x'.repeat(30)}\n`));
  reader.push(Buffer.from('\ndata: small\n\n'));
  assert.equal(seen.too_large, 1);
  assert.deepEqual(seen.events, [{ event: undefined, data: 'small' }]);
});
