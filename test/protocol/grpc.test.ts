import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createGrpcReader, grpcError } from '../../src/protocol/grpc.ts';
import { plainCuts, randomCuts } from './cuts.ts';
import { grpcMessage } from './proto-bytes.ts';

const STREAM = Buffer.concat([
  grpcMessage(Buffer.from('one')),
  grpcMessage(Buffer.alloc(0)),
  grpcMessage(Buffer.from('three'), true),
  grpcMessage(Buffer.from('four')),
]);
const MESSAGES = ['one', '', 'three!', 'four'];

function read(pieces: readonly Uint8Array[], max_message_bytes = 1000, gapAfter = -1, max_held_bytes = 1000) {
  const seen = { messages: [] as string[], too_large: 0, malformed: 0 };
  let charged_bytes = 0;
  const reader = createGrpcReader({
    max_message_bytes,
    hold(bytes) {
      if (charged_bytes + bytes > max_held_bytes) return false;
      charged_bytes += bytes;
      return true;
    },
    message: ({ data, is_compressed }) => seen.messages.push(`${data}${is_compressed ? '!' : ''}`),
    tooLarge: () => seen.too_large++,
    malformed: () => seen.malformed++,
  });
  for (const [index, piece] of pieces.entries()) {
    reader.push(piece);
    if (index === gapAfter) reader.gap();
  }
  reader.end();
  assert.equal(charged_bytes, 0, 'all is given back');
  return seen;
}

describe('gRPC messages', () => {
  test('come out the same however the stream is cut', () => {
    const expected = { messages: MESSAGES, too_large: 0, malformed: 0 };
    for (const { name, pieces } of plainCuts(STREAM)) assert.deepEqual(read(pieces), expected, name);
    fc.assert(fc.property(randomCuts(STREAM), (pieces) => assert.deepEqual(read(pieces), expected)));
  });

  test('that are too large are dropped and told, and the next one is read', () => {
    const large = Buffer.concat([grpcMessage(Buffer.alloc(500, 1)), STREAM]);
    const expected = { messages: MESSAGES, too_large: 1, malformed: 0 };
    for (const { name, pieces } of plainCuts(large)) assert.deepEqual(read(pieces, 100), expected, name);
    fc.assert(fc.property(randomCuts(large), (pieces) => assert.deepEqual(read(pieces, 100), expected)));
  });

  test('for which there is no room are dropped and told, and the next one is read', () => {
    const large = Buffer.concat([grpcMessage(Buffer.alloc(500, 1)), STREAM]);
    const pieces = [...large].map((byte) => Buffer.of(byte));
    assert.deepEqual(read(pieces, 1000, -1, 100), { messages: MESSAGES, too_large: 1, malformed: 0 });
  });

  test('are not looked for behind missing bytes, nor in what is no gRPC', () => {
    assert.deepEqual(read([STREAM, STREAM], 1000, 0).messages, MESSAGES);
    const { messages, malformed } = read([
      Buffer.concat([grpcMessage(Buffer.from('one')), Buffer.from('<html>'), STREAM]),
    ]);
    assert.deepEqual(messages, ['one']);
    assert.equal(malformed, 1);
  });
});

test('an error is told by its name, in words', () => {
  const fields = (status: string, message?: string) =>
    new Map([['grpc-status', status], ...(message === undefined ? [] : [['grpc-message', message] as const])]);
  assert.deepEqual(grpcError(fields('8', 'Quota%20exceeded %E2%82%AC')), {
    type: 'RESOURCE_EXHAUSTED',
    message: 'Quota exceeded €',
  });
  assert.deepEqual(grpcError(fields('99', '100%')), { type: '99', message: '100%' });
  assert.equal(grpcError(fields('0')), undefined);
  assert.equal(grpcError(fields('x')), undefined);
  assert.equal(grpcError(new Map()), undefined);
});
