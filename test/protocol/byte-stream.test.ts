import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createByteStream, type StreamPiece } from '../../src/protocol/byte-stream.ts';

const OPTIONS = { max_held_bytes: 1000, max_held_pieces: 100 };

function piece(offset: number, text: string, lost_bytes = 0, ktime_ns = 1n): StreamPiece {
  return { offset: BigInt(offset), data: Buffer.from(text), lost_bytes, ktime_ns };
}

/** What comes out, with gaps as `<3>`. */
function record(options: Partial<typeof OPTIONS> = {}) {
  const seen = { text: '', dropped: 0 };
  const stream = createByteStream<StreamPiece>(
    { ...OPTIONS, ...options, dropped: (bytes) => (seen.dropped += bytes) },
    {
      data: (data) => (seen.text += Buffer.from(data).toString()),
      gap: (bytes) => (seen.text += `<${bytes}>`),
    },
  );
  return { stream, seen };
}

test('pieces in order pass through', () => {
  const { stream, seen } = record();
  for (const each of [piece(0, 'one '), piece(4, 'two '), piece(8, 'three')]) stream.push(each);
  assert.deepEqual(seen, { text: 'one two three', dropped: 0 });
  assert.equal(stream.end_offset, 13n);
});

test('a piece that comes too early waits for the one before it', () => {
  const { stream, seen } = record();
  stream.push(piece(4, 'two'));
  assert.equal(seen.text, '');
  stream.push(piece(0, 'one '));
  assert.equal(seen.text, 'one two');
});

test('bytes that never come are a gap once there is no more waiting', () => {
  const { stream, seen } = record();
  stream.push(piece(0, 'one '));
  stream.push(piece(8, 'three', 0, 50n));
  stream.flush(49n);
  assert.equal(seen.text, 'one ');
  stream.flush(50n);
  assert.equal(seen.text, 'one <4>three');
});

test('the waiting room is bounded in pieces and in bytes', () => {
  const few = record({ max_held_pieces: 2 });
  for (const offset of [10, 12, 14]) few.stream.push(piece(offset, 'ab'));
  assert.equal(few.seen.text, '<10>ababab');
  const small = record({ max_held_bytes: 3 });
  small.stream.push(piece(10, 'abcd'));
  assert.equal(small.seen.text, '<10>abcd');
});

test('bytes the kernel side had to leave out are a gap at once', () => {
  const { stream, seen } = record();
  stream.push(piece(0, 'one', 7));
  stream.push(piece(10, 'two'));
  assert.equal(seen.text, 'one<7>two');
});

test('what comes twice is dropped and counted', () => {
  const { stream, seen } = record();
  stream.push(piece(0, 'abcd'));
  stream.push(piece(2, 'XXef'));
  stream.push(piece(0, 'abcd'));
  assert.deepEqual(seen, { text: 'abcdef', dropped: 6 });
});

test('any order of the same pieces gives the same bytes', () => {
  const text = 'the quick brown fox jumps';
  const cuts = fc.shuffledSubarray([...Array(text.length - 1).keys()].map((index) => index + 1));
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.nat()), (positions, keys) => {
      const ends = [...positions, text.length].sort((a, b) => a - b);
      const pieces = ends.map((end, index) => piece(ends[index - 1] ?? 0, text.slice(ends[index - 1] ?? 0, end)));
      const shuffled = pieces
        .map((each) => ({ each, key: keys.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ each }) => each);
      const { stream, seen } = record();
      for (const each of shuffled) stream.push(each);
      assert.deepEqual(seen, { text, dropped: 0 });
    }),
    { numRuns: 50 },
  );
});
