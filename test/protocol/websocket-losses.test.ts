import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { randomCuts } from './cuts.ts';
import { createDeflater, frame, TEXT } from './websocket-bytes.ts';
import { listen, NO_TAKEOVER, TAKEOVER } from './websocket-listener.ts';

describe('bytes are lost', () => {
  test('in the middle of a plain message: the next one is read', () => {
    const { lines, socket } = listen();
    socket.read(frame(TEXT, 'first message').subarray(0, 6), 0);
    socket.readGap(9, 0);
    socket.read(frame(TEXT, 'second'), 0);
    assert.deepEqual(lines, ['received lost_bytes 9', 'received text second']);
  });

  test('across messages: reading goes on with the first piece that begins like a frame', () => {
    const { lines, socket, skipped_bytes } = listen();
    const second = frame(TEXT, '{"type":"second message"}');
    socket.read(frame(TEXT, 'first').subarray(0, 4), 0);
    socket.readGap(7, 0);
    socket.read(second.subarray(4), 0);
    socket.read(frame(TEXT, 'third'), 0);
    assert.deepEqual(lines, ['received lost_bytes 7', 'received text third']);
    assert.equal(skipped_bytes(), second.length - 4);
  });

  const sayings = ['{"type":"one","text":"alpha"}', '{"type":"two","text":"beta"}', '{"type":"three","text":"gamma"}'];
  const compressed = async (keeps_context: boolean) => {
    const deflate = createDeflater(keeps_context);
    const frames: Buffer[] = [];
    for (const text of sayings) frames.push(frame(TEXT, await deflate(text), { rsv1: true }));
    return frames;
  };

  test('without context takeover only the message that they were in is lost', async () => {
    const [first, second, third] = (await compressed(false)) as [Buffer, Buffer, Buffer];
    const { lines, socket } = listen(NO_TAKEOVER);
    socket.read(first, 0);
    socket.readGap(second.length, 0);
    socket.read(third, 0);
    assert.deepEqual(lines, [
      `received text ${sayings[0]}`,
      `received lost_bytes ${second.length}`,
      `received text ${sayings[2]}`,
    ]);
  });

  test('with context takeover what refers to them cannot be read, and says so', async () => {
    const [first, second, third] = (await compressed(true)) as [Buffer, Buffer, Buffer];
    const { lines, socket } = listen(TAKEOVER);
    socket.readGap(first.length, 0);
    socket.read(second, 0);
    socket.read(third, 0);
    socket.read(frame(TEXT, 'plain'), 0);
    assert.deepEqual(
      lines.map((line) => line.replace(/ \d+$/, '')),
      ['received lost_bytes', 'received decompression', 'received decompression', 'received text plain'],
    );
  });

  test('with context takeover what refers to nothing before the loss is read', async () => {
    const { lines, socket } = listen(TAKEOVER);
    socket.readGap(10, 0);
    const alone = createDeflater(true);
    for (const text of sayings) socket.read(frame(TEXT, await alone(text), { rsv1: true }), 0);
    assert.deepEqual(
      lines.slice(1),
      sayings.map((text) => `received text ${text}`),
    );
  });

  test('anywhere: no text is ever told that was not said', async () => {
    for (const keeps_context of [true, false]) {
      const deflate = createDeflater(keeps_context);
      const texts = Array.from(
        { length: 30 },
        (_, index) => `{"type":"event","n":${index},"text":"${'ab'.repeat(index)}"}`,
      );
      const said = new Set(texts.map((text) => `received text ${text}`));
      const frames: Buffer[] = [];
      for (const text of texts) frames.push(frame(TEXT, await deflate(text), { rsv1: true }));
      const bytes = Buffer.concat(frames);
      fc.assert(
        fc.property(fc.nat(bytes.length), fc.integer({ min: 1, max: 200 }), randomCuts(bytes), (from, length, cuts) => {
          const { lines, socket } = listen(keeps_context ? TAKEOVER : NO_TAKEOVER);
          let position = 0;
          for (const piece of cuts) {
            const kept = (start: number, end: number) =>
              piece.subarray(Math.max(0, start - position), Math.max(0, end - position));
            const before = kept(0, from);
            const missing = kept(from, from + length).length;
            const after = kept(from + length, bytes.length);
            if (before.length > 0) socket.read(before, 0);
            if (missing > 0) socket.readGap(missing, 0);
            if (after.length > 0) socket.read(after, 0);
            position += piece.length;
          }
          for (const line of lines) assert.ok(said.has(line) || !line.startsWith('received text'), line);
        }),
        { numRuns: 200 },
      );
    }
  });
});

describe('size is bounded', () => {
  test('of a message as it comes', () => {
    const { lines, socket } = listen(undefined, 1000);
    socket.read(frame(TEXT, 'x'.repeat(1001)), 0);
    socket.read(frame(TEXT, 'y'), 0);
    assert.deepEqual(lines, ['received too_large 1001', 'received text y']);
  });

  test('of a message in plain: a bomb is not unpacked', () => {
    const { lines, socket } = listen(NO_TAKEOVER, 10_000);
    const bomb = deflateRawSync(Buffer.alloc(5_000_000, 'x'));
    socket.read(frame(TEXT, bomb, { rsv1: true }), 0);
    socket.read(frame(TEXT, 'y'), 0);
    assert.deepEqual(lines, [`received too_large ${bomb.length}`, 'received text y']);
  });
});
