import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonRpcMessage, parseJsonRpc } from '../../src/protocol/json-rpc.ts';
import { createJsonRpcReader } from '../../src/protocol/json-rpc-reader.ts';
import { keptBytes } from '../kept-bytes.ts';
import { cutAt, plainCuts, randomCuts } from './cuts.ts';

interface Read {
  readonly messages: JsonRpcMessage[];
  /** The pieces that a message began and ended in, and its bytes. */
  readonly spans: (readonly [first: number, last: number, bytes: number])[];
  skipped: number;
  too_large: number;
  left_out: number;
  held: number;
}

/** 'gap' among the pieces: bytes are missing there. */
function read(
  pieces: readonly (Uint8Array | string)[],
  max_message_bytes = 1000,
  room = Number.POSITIVE_INFINITY,
): Read {
  const out: Read = { messages: [], spans: [], skipped: 0, too_large: 0, left_out: 0, held: 0 };
  const reader = createJsonRpcReader<number>(
    {
      max_message_bytes,
      hold(bytes) {
        if (bytes > 0 && out.held + bytes > room) return false;
        out.held += bytes;
        return true;
      },
    },
    {
      message(message, { first, last, bytes }) {
        out.messages.push(message);
        out.spans.push([first, last, bytes]);
      },
      skipped(bytes) {
        out.skipped += bytes;
      },
      leftOut(count) {
        out.left_out += count;
      },
      tooLarge(bytes) {
        out.too_large += bytes;
      },
    },
  );
  for (const [at, piece] of pieces.entries()) {
    if (piece === 'gap') reader.gap();
    else reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece, at);
  }
  reader.end();
  return out;
}

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'écho', arguments: { text: 'a\nb' } } };
const RESPONSE = { jsonrpc: '2.0', id: 'x', result: { content: [] } };
const NOTIFICATION = { jsonrpc: '2.0', method: 'notifications/initialized' };
const ERROR = { jsonrpc: '2.0', id: 2, error: { code: -32601, message: 'no' } };
const ALL = [REQUEST, RESPONSE, NOTIFICATION, ERROR];
const lines = (...values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const types = ({ messages }: Read) => messages.map(({ type }) => type);
const EXPECTED = ['request', 'response', 'notification', 'response'];

const streams = {
  'a line each': lines(...ALL),
  'lines that end with CRLF': lines(...ALL).replaceAll('\n', '\r\n'),
  'one batch': lines(ALL),
  'with what a program prints between them': `Server started\n${lines(...ALL)}{"no": "message"}\n\n`,
};
for (const [name, text] of Object.entries(streams)) {
  for (const cut of plainCuts(Buffer.from(text))) {
    test(`messages, ${name}, ${cut.name}`, () => {
      const out = read(cut.pieces);
      assert.deepEqual(types(out), EXPECTED);
      const [first] = out.messages;
      assert.deepEqual(first, { type: 'request', id: 1, method: REQUEST.method, params: REQUEST.params });
      assert.equal(out.held, 0);
    });
  }
  test(`messages, ${name}, cut anywhere`, () => {
    fc.assert(
      fc.property(randomCuts(Buffer.from(text)), (pieces) => assert.deepEqual(types(read(pieces)), EXPECTED)),
      { numRuns: 50 },
    );
  });
}

test('a message says in which pieces it began and ended', () => {
  const text = lines(REQUEST);
  const { spans } = read([text.slice(0, 5), text.slice(5, 9), `${text.slice(9)}${lines(NOTIFICATION)}`]);
  assert.deepEqual(spans, [
    [0, 2, Buffer.byteLength(text)],
    [2, 2, lines(NOTIFICATION).length],
  ]);
});

test('a message that is too large is left out, and the next one read', () => {
  const large = lines({ ...REQUEST, params: 'x'.repeat(5000) });
  const out = read(cutAt(Buffer.from(`${large}${lines(RESPONSE)}`), [100, 200, 3000]));
  assert.deepEqual(types(out), ['response']);
  assert.ok(out.too_large > 5000);
  assert.equal(out.held, 0);
});

test('where there is no more room, a message is left out like one that is too large', () => {
  const out = read([lines(REQUEST).slice(0, 60), lines(REQUEST).slice(60), lines(NOTIFICATION)], 1000, 90);
  assert.deepEqual(types(out), ['notification']);
});

test('after missing bytes reading goes on with the next message', () => {
  const text = lines(REQUEST);
  assert.deepEqual(types(read([text.slice(0, 20), 'gap', text.slice(40), lines(RESPONSE)])), ['response']);
});

test('what is left out of a batch that is too long is told', () => {
  const out = read([lines(Array.from({ length: 1500 }, () => NOTIFICATION))], 1_000_000);
  assert.deepEqual([out.messages.length, out.left_out], [1000, 500]);
});

test('a header that a program prints hides no message after it', () => {
  const out = read([lines(REQUEST), 'Content-Length: 1000000\r\n\r\n', lines(RESPONSE, NOTIFICATION)]);
  assert.deepEqual(types(out), ['request', 'response', 'notification']);
});

test('what is no JSON-RPC 2.0 is no message', () => {
  for (const text of [
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"jsonrpc":"1.0","method":"x"}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jso',
  ])
    assert.deepEqual(
      parseJsonRpc(text, () => {}),
      [],
      text,
    );
  assert.deepEqual(
    parseJsonRpc('{"jsonrpc":"2.0","id":null,"error":{}}', () => {}),
    [{ type: 'response', id: undefined, result: undefined, error: {} }],
  );
});

test('any bytes are read without failing, and nothing stays held', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom('gap', '\n', 'Content-Length: 5\r\n\r\n', lines(REQUEST)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      assert.equal(read(pieces, 64).held, 0);
    }),
    { numRuns: 200 },
  );
});

test('a message that comes byte by byte takes no more room than it is', () => {
  const size = 500_000;
  const sink = { message() {}, skipped() {}, tooLarge() {}, leftOut() {} };
  const { bytes, kept } = keptBytes(() => {
    const reader = createJsonRpcReader<number>({ max_message_bytes: size, hold: () => true }, sink);
    for (let count = 0; count < size; count++) reader.push(Uint8Array.of(0x7b), count);
    return reader;
  });
  assert.equal(kept.held_bytes, size);
  assert.ok(bytes < 8 * size, `${bytes} bytes are kept of ${size}`);
});
