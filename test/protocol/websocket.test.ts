import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { plainCuts, randomCuts } from './cuts.ts';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closeFrame,
  createDeflater,
  frame,
  MASK,
  PING,
  PONG,
  TEXT,
} from './websocket-bytes.ts';
import { listen, NO_TAKEOVER, TAKEOVER } from './websocket-listener.ts';

/** What is told of what a server sends. */
function received(bytes: Uint8Array, extensions?: string): string[] {
  const { lines, socket } = listen(extensions);
  socket.read(bytes, 0);
  return lines;
}

describe('the examples of RFC 6455 section 5.7', () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
  test('an unmasked text', () => {
    assert.deepEqual(received(hex('81 05 48 65 6c 6c 6f')), ['received text Hello']);
  });
  test('a masked text', () => {
    const { lines, socket } = listen();
    socket.write(hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'), 0);
    assert.deepEqual(lines, ['sent text Hello']);
  });
  test('a text in two fragments', () => {
    assert.deepEqual(received(hex('01 03 48 65 6c 80 02 6c 6f')), ['received text Hello']);
  });
  test('a ping, which is no message, and its pong', () => {
    const { lines, socket } = listen();
    socket.read(hex('89 05 48 65 6c 6c 6f'), 0);
    socket.write(hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'), 0);
    assert.deepEqual(lines, []);
  });
  test('256 bytes, and 64 KB', () => {
    for (const [head, length] of [
      ['82 7e 0100', 256],
      ['82 7f 0000000000010000', 65536],
    ] as const) {
      const data = Buffer.alloc(length, 0xab);
      assert.deepEqual(received(Buffer.concat([hex(head), data])), [`received binary ${data.toString('hex')}`]);
    }
  });
});

describe('the examples of RFC 7692 section 7.2.3', () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
  test('a compressed text, whole and in fragments', () => {
    assert.deepEqual(received(hex('c1 07 f2 48 cd c9 c9 07 00'), TAKEOVER), ['received text Hello']);
    assert.deepEqual(received(hex('41 03 f2 48 cd 80 04 c9 c9 07 00'), TAKEOVER), ['received text Hello']);
  });
  test('the same text again, which refers to the first', () => {
    const bytes = hex('c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00');
    assert.deepEqual(received(bytes, TAKEOVER), ['received text Hello', 'received text Hello']);
  });
  test('a block without compression', () => {
    assert.deepEqual(received(hex('c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00'), TAKEOVER), ['received text Hello']);
  });
  test('a block that ends the stream, and a message after it', () => {
    const bytes = hex('c1 08 f3 48 cd c9 c9 07 00 00 c1 07 f2 48 cd c9 c9 07 00');
    assert.deepEqual(received(bytes, TAKEOVER), ['received text Hello', 'received text Hello']);
  });
  test('two blocks in one message', () => {
    assert.deepEqual(received(hex('c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00'), TAKEOVER), ['received text Hello']);
  });
  test('compressed and plain messages side by side', () => {
    const bytes = Buffer.concat([hex('c1 07 f2 48 cd c9 c9 07 00'), frame(TEXT, 'plain'), hex('c1 05 f2 00 11 00 00')]);
    assert.deepEqual(received(bytes, TAKEOVER), ['received text Hello', 'received text plain', 'received text Hello']);
  });
});

const DIALOGUE = [
  'received text {"type":"a"}',
  'received binary 00ff10',
  `received text ${'long '.repeat(20_000)}`,
  'received text äöü 🥊',
  'received text ',
  'received close 1000 bye',
];

async function dialogue(extensions: string | undefined): Promise<Buffer> {
  const deflate = createDeflater(extensions === TAKEOVER);
  const message = async (opcode: number, text: string, cuts = 1) => {
    const payload = extensions === undefined ? Buffer.from(text, 'latin1') : await deflate(text);
    const data = extensions === undefined && opcode === TEXT ? Buffer.from(text) : payload;
    const size = Math.max(1, Math.ceil(data.length / cuts));
    const pieces = Array.from({ length: cuts }, (_, index) => data.subarray(index * size, (index + 1) * size));
    return pieces.map((piece, index) =>
      frame(index === 0 ? opcode : CONTINUATION, piece, {
        fin: index === cuts - 1,
        rsv1: index === 0 && extensions !== undefined,
      }),
    );
  };
  return Buffer.concat([
    ...(await message(TEXT, '{"type":"a"}')),
    frame(BINARY, Buffer.from([0, 255, 16])),
    ...(await message(TEXT, 'long '.repeat(20_000), 5)).flatMap((piece) => [piece, frame(PING, 'now')]),
    ...(await message(TEXT, 'äöü 🥊', 3)),
    ...(await message(TEXT, '')),
    frame(PONG, ''),
    closeFrame(1000, 'bye'),
    frame(TEXT, 'never said'),
  ]);
}

for (const extensions of [undefined, NO_TAKEOVER, TAKEOVER]) {
  test(`messages are the same however their bytes are cut (${extensions ?? 'plain'})`, async () => {
    const bytes = await dialogue(extensions);
    const run = (pieces: readonly Uint8Array[]) => {
      const { lines, socket } = listen(extensions);
      for (const piece of pieces) socket.read(piece, 0);
      return lines;
    };
    for (const { name, pieces } of plainCuts(bytes)) assert.deepEqual(run(pieces), DIALOGUE, name);
    fc.assert(
      fc.property(randomCuts(bytes), (pieces) => assert.deepEqual(run(pieces), DIALOGUE)),
      { numRuns: 100 },
    );
  });
}

test('a client is read as well as a server, masked with other keys in every frame', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 4, maxLength: 4 })), {
        maxLength: 5,
      }),
      (texts) => {
        const { lines, socket } = listen();
        for (const [text, mask] of texts) {
          socket.write(frame(TEXT, text, { mask: [...mask] as [number, number, number, number] }), 0);
        }
        assert.deepEqual(
          lines,
          texts.map(([text]) => `sent text ${text}`),
        );
      },
    ),
  );
});

describe('what breaks the rules is told, and what follows is read', () => {
  const cases: readonly { readonly name: string; readonly bytes: Buffer }[] = [
    { name: 'a masked frame from the server', bytes: frame(TEXT, 'x', { mask: MASK }) },
    { name: 'a compressed message where none was agreed on', bytes: frame(TEXT, 'x', { rsv1: true }) },
    { name: 'an unknown opcode', bytes: frame(5, 'x') },
    { name: 'a control frame in fragments', bytes: frame(PING, 'x', { fin: false }) },
    { name: 'a long control frame', bytes: frame(PING, 'x'.repeat(200)) },
    { name: 'a length written longer than needed', bytes: Buffer.from([0x81, 126, 0, 5, 1, 2, 3, 4, 5]) },
    { name: 'a length beyond all bounds', bytes: Buffer.from([0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0]) },
    { name: 'a continuation of nothing', bytes: frame(CONTINUATION, 'x') },
    { name: 'a text that is no UTF-8', bytes: frame(TEXT, Buffer.from([0xc3, 0x28])) },
  ];
  for (const { name, bytes } of cases) {
    test(name, () => {
      const { lines, socket } = listen();
      socket.read(bytes, 0);
      assert.match(lines.join(), /^received malformed \d+$/);
      socket.read(frame(TEXT, 'next'), 0);
      assert.equal(lines[1], 'received text next');
    });
  }

  test('a message begun before the one before it ended', () => {
    const bytes = Buffer.concat([frame(TEXT, 'half', { fin: false }), frame(TEXT, 'whole')]);
    assert.deepEqual(received(bytes), ['received malformed 4', 'received text whole']);
  });

  test('a close frame without a code, and one with half a code', () => {
    assert.deepEqual(received(frame(CLOSE, '')), ['received close 1005 ']);
    assert.deepEqual(received(frame(CLOSE, Buffer.from([3]))), ['received close 1005 ']);
  });
});

test('the end of the connection ends what was begun', () => {
  const { lines, socket } = listen();
  socket.read(frame(TEXT, 'half').subarray(0, 3), 0);
  socket.close(0, 'the stream ended');
  socket.close(0);
  socket.read(frame(TEXT, 'after'), 0);
  assert.deepEqual(lines, ['ended the stream ended']);
});
