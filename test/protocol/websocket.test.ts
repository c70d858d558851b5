import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { createWebSocket } from '../../src/protocol/websocket.ts';
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

const TAKEOVER = 'permessage-deflate';
const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

/** A WebSocket whose messages, and what else is told of it, are lines of text. */
function listen(extensions?: string, max_message_bytes = 1e6) {
  const lines: string[] = [];
  const headers = new Map(extensions === undefined ? [] : [['sec-websocket-extensions', extensions]]);
  let skipped_bytes = 0;
  const socket = createWebSocket<number>(
    {
      response: { kind: 'response', status: 101, reason: '', headers },
      max_message_bytes,
      collect() {
        const pieces: Uint8Array[] = [];
        let bytes = 0;
        return {
          add(data) {
            bytes += data.length;
            pieces.push(data);
            return bytes <= max_message_bytes;
          },
          joined: () => Buffer.concat(pieces),
          release() {},
        };
      },
    },
    {
      message: (side, { kind, data }) =>
        lines.push(`${side} ${kind} ${kind === 'text' ? data.toString() : data.toString('hex')}`),
      damaged: (side, reason, bytes) => lines.push(`${side} ${reason} ${bytes}`),
      closed: (side, code, reason) => lines.push(`${side} close ${code} ${reason}`),
      skipped: (bytes) => (skipped_bytes += bytes),
      ended: (_at, cause) => lines.push(`ended ${cause}`),
    },
  );
  return { lines, socket, skipped_bytes: () => skipped_bytes };
}

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

test('the end of the connection ends what was begun', () => {
  const { lines, socket } = listen();
  socket.read(frame(TEXT, 'half').subarray(0, 3), 0);
  socket.close(0, 'the stream ended');
  socket.close(0);
  socket.read(frame(TEXT, 'after'), 0);
  assert.deepEqual(lines, ['ended the stream ended']);
});
