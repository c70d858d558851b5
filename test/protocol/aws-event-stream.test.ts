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

function record(max_message_bytes = 1000) {
  const messages: string[] = [];
  const seen = { messages, too_large: 0, malformed_bytes: 0, error: undefined as string | undefined };
  const reader = createAwsEventStreamReader({
    max_message_bytes,
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
  const expected = { messages: MESSAGES, too_large: 0, malformed_bytes: 0, error: 'throttlingException' };
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
  const { messages, too_large } = read([FIRST, large, LAST]);
  assert.deepEqual(messages, [MESSAGES[0], MESSAGES[3]]);
  assert.equal(too_large, 1);
});

test('no bytes make it throw or hold more than one message', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), fc.nat(STREAM.length), (noise, at) => {
      const { reader, seen } = record();
      reader.push(STREAM.subarray(at));
      for (const piece of noise) reader.push(piece);
      assert.ok(seen.messages.length <= MESSAGES.length);
    }),
  );
});
