import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAwsEventStreamReader } from '../../src/protocol/aws-event-stream.ts';
import { awsEvent, awsException, awsMessage } from './aws-event.ts';
import { plainCuts, randomCuts } from './cuts.ts';

const FIRST = awsEvent('messageStart', { role: 'assistant' });
const SECOND = awsEvent('contentBlockDelta', { delta: { text: 'ä€😀' } });
const OTHERS = awsMessage(
  { yes: true, no: false, number: 7, bytes: new Uint8Array([1, 2]), ':event-type': 'x' },
  new Uint8Array(0),
);
const LAST = awsException('throttlingException', 'Too many');
const STREAM = Buffer.concat([FIRST, SECOND, OTHERS, LAST]);
const MESSAGES = [
  'messageStart {"role":"assistant"}',
  'contentBlockDelta {"delta":{"text":"ä€😀"}}',
  'x ',
  'undefined',
];

function record(max_message_bytes = 1000, max_held_bytes = Number.POSITIVE_INFINITY) {
  const messages: string[] = [];
  const seen = { messages, too_large: 0, malformed_bytes: 0, error: undefined as string | undefined, charged_bytes: 0 };
  const reader = createAwsEventStreamReader({
    max_message_bytes,
    hold(bytes) {
      if (seen.charged_bytes + bytes > max_held_bytes) return false;
      seen.charged_bytes += bytes;
      return true;
    },
    message({ headers, payload }) {
      seen.error ??= headers.get(':exception-type');
      const text = headers.has(':exception-type') ? 'undefined' : `${headers.get(':event-type')} ${payload}`;
      messages.push(text);
    },
    tooLarge: () => seen.too_large++,
    malformed: (bytes) => {
      seen.malformed_bytes += bytes;
    },
  });
  return { reader, seen };
}

function read(pieces: readonly Uint8Array[], max_message_bytes?: number) {
  const { reader, seen } = record(max_message_bytes);
  for (const piece of pieces) reader.push(piece);
  return seen;
}

test('messages come out the same however the stream is cut', () => {
  const expected = {
    messages: MESSAGES,
    too_large: 0,
    malformed_bytes: 0,
    error: 'throttlingException',
    charged_bytes: 0,
  };
  for (const { name, pieces } of plainCuts(STREAM)) assert.deepEqual(read(pieces), expected, name);
  fc.assert(
    fc.property(randomCuts(STREAM), (pieces) => assert.deepEqual(read(pieces), expected)),
    { numRuns: 100 },
  );
});

test('a message is told as soon as its last byte has come', () => {
  const { reader, seen } = record();
  reader.push(Buffer.concat([FIRST, SECOND.subarray(0, SECOND.length - 1)]));
  assert.deepEqual(seen.messages, MESSAGES.slice(0, 1));
  reader.push(SECOND.subarray(SECOND.length - 1));
  assert.deepEqual(seen.messages, MESSAGES.slice(0, 2));
});

test('a message with a wrong checksum is left out, and counted', () => {
  for (const at of [2, 9, 20, SECOND.length - 1]) {
    const broken = Buffer.from(SECOND);
    broken[at] = (broken[at] ?? 0) ^ 0xff;
    const { messages, malformed_bytes } = read([FIRST, broken, LAST]);
    assert.deepEqual(messages, [MESSAGES[0], MESSAGES[3]], `byte ${at}`);
    assert.equal(malformed_bytes, SECOND.length);
  }
});

test('what looks like messages in a message with a wrong checksum is passed over with it', () => {
  const broken = awsMessage({ ':event-type': 'outer' }, FIRST);
  broken.writeUInt8(1 ^ (broken.at(-1) ?? 0), broken.length - 1);
  const { messages, malformed_bytes } = read([broken, LAST]);
  assert.deepEqual([messages, malformed_bytes], [[MESSAGES[3]], broken.length]);
});

test('after a gap, reading goes on with the next message', () => {
  const { reader, seen } = record();
  reader.push(FIRST.subarray(0, 30));
  reader.gap();
  reader.push(Buffer.concat([SECOND.subarray(20), LAST]));
  assert.deepEqual(seen.messages, [MESSAGES[3]]);
});

test('a message that is too large is dropped and told, and the next one is read', () => {
  const large = awsEvent('large', 'x'.repeat(2000));
  for (const { name, pieces } of plainCuts(Buffer.concat([FIRST, large, LAST]))) {
    const { messages, too_large, malformed_bytes } = read(pieces);
    assert.deepEqual(messages, [MESSAGES[0], MESSAGES[3]], name);
    assert.deepEqual([too_large, malformed_bytes], [1, 0], name);
  }
});

test('a message for which there is no room is dropped and told, and the next one is read', () => {
  const { reader, seen } = record(5000, 300);
  const large = awsEvent('large', 'x'.repeat(2000));
  for (const byte of Buffer.concat([FIRST, large, LAST])) reader.push(Buffer.of(byte));
  assert.deepEqual(seen.messages, [MESSAGES[0], MESSAGES[3]]);
  assert.deepEqual([seen.too_large, seen.malformed_bytes, seen.charged_bytes], [1, 0, 0]);
});

test('what is held of a message that never comes is given back', () => {
  for (const way of ['gap', 'end'] as const) {
    const { reader, seen } = record();
    reader.push(FIRST.subarray(0, FIRST.length - 1));
    assert.equal(reader.held_bytes, FIRST.length - 1);
    reader[way]();
    assert.deepEqual([reader.held_bytes, seen.charged_bytes], [0, 0], way);
  }
});

test('no bytes make it throw or hold more than one message', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), fc.nat(STREAM.length), (noise, at) => {
      const { reader, seen } = record();
      reader.push(STREAM.subarray(at));
      for (const piece of noise) {
        reader.push(piece);
        assert.ok(reader.held_bytes < 1000);
        assert.ok(seen.charged_bytes <= reader.held_bytes && seen.charged_bytes >= reader.held_bytes - 12);
      }
      assert.ok(seen.messages.length <= MESSAGES.length);
    }),
  );
});
