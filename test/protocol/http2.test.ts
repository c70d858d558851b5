import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cutAt } from './cuts.ts';
import { recordExchanges } from './exchange-recorder.ts';
import {
  CLIENT_BEGIN,
  data,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  headers,
  requestHeaders,
  SERVER_BEGIN,
} from './http2-bytes.ts';
import { HTTP2_CASES, type Http2Case } from './http2-cases.ts';

type Cut = (bytes: Uint8Array) => readonly Uint8Array[];

function check({ frames, exchanges, protocol }: Http2Case, cut: Cut): void {
  const recorder = recordExchanges();
  let time = 0;
  for (const [direction, ...parts] of frames) {
    for (const piece of cut(Buffer.concat(parts))) {
      if (direction === '>') recorder.connection.write(piece, ++time);
      else recorder.connection.read(piece, ++time);
    }
  }
  recorder.connection.close(++time);
  assert.deepEqual(recorder.exchanges(), exchanges);
  assert.equal(recorder.protocol(), protocol);
}

describe('HTTP/2 connections, fed whole, byte by byte and cut at random', () => {
  for (const each of HTTP2_CASES) {
    test(each.name, () => {
      check(each, (bytes) => [bytes]);
      check(each, (bytes) => cutAt(bytes, [...bytes.keys()]));
      const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
      fc.assert(
        fc.property(cuts, (positions) =>
          check(each, (bytes) =>
            cutAt(
              bytes,
              positions.filter((position) => position < bytes.length),
            ),
          ),
        ),
        { numRuns: 40 },
      );
    });
  }
});

test('the host is the authority, cookies are one field', () => {
  let seen: ReadonlyMap<string, string> | undefined;
  const recorder = recordExchanges((head) => {
    seen = head.headers;
  });
  const cookies = Buffer.concat([fieldBlock({ cookie: 'a=1' }), fieldBlock({ cookie: 'b=2', accept: 'x' })]);
  const pseudo = fieldBlock({ ':method': 'GET', ':path': '/', ':authority': 'h:1', host: 'other', accept: 'y' });
  recorder.connection.write(CLIENT_BEGIN, 1);
  recorder.connection.write(frame(1, END_HEADERS, 1, Buffer.concat([pseudo, cookies])), 2);
  assert.deepEqual(Object.fromEntries(seen ?? []), { host: 'h:1', accept: 'y, x', cookie: 'a=1; b=2' });
});

test('bodies of 5 MB, in frames as large as are allowed', () => {
  const recorder = recordExchanges();
  const body = Buffer.alloc(5_000_000, 'abcdefg');
  const frames = (stream: number, size: number): Buffer =>
    Buffer.concat(
      Array.from({ length: Math.ceil(body.length / size) }, (_, index) => {
        const piece = body.subarray(index * size, (index + 1) * size);
        return data(stream, piece, (index + 1) * size >= body.length ? END_STREAM : 0);
      }),
    );
  recorder.connection.write(CLIENT_BEGIN, 1);
  recorder.connection.read(SERVER_BEGIN, 2);
  for (const [stream, size] of [
    [1, 16_384],
    [3, 1 << 20],
  ] as const) {
    recorder.connection.write(requestHeaders(stream), 3);
    for (const piece of cutAt(frames(stream, size), [7, 20_000, 100_003, 3_000_001]))
      recorder.connection.write(piece, 4);
    recorder.connection.read(headers(stream, { ':status': '200' }), 5);
    for (const piece of cutAt(frames(stream, size), [7, 20_000, 100_003, 3_000_001]))
      recorder.connection.read(piece, 6);
  }
  const line = `POST /v1/chat "${body}" -> 200 "${body}" whole`;
  assert.ok(recorder.exchanges().every((exchange) => exchange === line));
  assert.equal(recorder.exchanges().length, 2);
});

test('of too many open streams the oldest is given up', () => {
  const { connection, exchanges, counts } = recordExchanges();
  connection.write(CLIENT_BEGIN, 1);
  for (let stream = 1; stream < 1200; stream += 2) connection.write(requestHeaders(stream), 2);
  assert.equal(counts.get('too_many_streams'), 88);
  assert.equal(exchanges()[0], 'POST /v1/chat "" -> none "<0>" lost');
});

test('a head larger than allowed is not read, and the next one is', () => {
  const { connection, exchanges } = recordExchanges();
  connection.write(CLIENT_BEGIN, 1);
  connection.write(requestHeaders(1, {}, 0), 2);
  for (let count = 0; count < 20; count++) connection.write(frame(9, 0, 1, Buffer.alloc(16_384, 0x82)), 3);
  connection.write(frame(9, END_HEADERS, 1), 4);
  connection.write(requestHeaders(3, {}, END_HEADERS | END_STREAM), 5);
  connection.read(Buffer.concat([SERVER_BEGIN, headers(3, { ':status': '200' }, END_HEADERS | END_STREAM)]), 6);
  assert.deepEqual(exchanges(), ['POST /v1/chat "" -> 200 "" whole']);
});

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.constantFrom(
    CLIENT_BEGIN,
    SERVER_BEGIN,
    requestHeaders(1),
    requestHeaders(3, {}, END_HEADERS | END_STREAM),
    headers(1, { ':status': '200' }),
    headers(3, { ':status': '500' }, END_HEADERS | END_STREAM),
    data(1, 'body'),
    data(3, 'body', END_STREAM),
    frame(1, 0, 5, fieldBlock({ ':method': 'GET' })),
    frame(9, END_HEADERS, 5, fieldBlock({ ':path': '/' })),
  ),
);

test('whatever bytes come, every exchange ends exactly once and nothing is thrown', () => {
  const step = fc.record({ write: fc.boolean(), bytes: noise, gap: fc.nat({ max: 19 }) });
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 30 }), (begins, steps) => {
      const { connection, exchanges } = recordExchanges();
      if (begins) connection.write(CLIENT_BEGIN, 1);
      for (const { write, bytes, gap } of steps) {
        if (write) connection.write(bytes, 1);
        else connection.read(bytes, 1);
        if (gap > 16) write ? connection.writeGap(gap, 1) : connection.readGap(gap, 1);
      }
      connection.close(2);
      for (const line of exchanges()) assert.equal(line.match(/ (whole|closed|cut|lost)(?= |$)/g)?.length, 1, line);
    }),
    { numRuns: 300 },
  );
});

test('frames in which bytes were changed at random are read without a throw, and bodies never grow', () => {
  const bytes = Buffer.concat(
    [1, 3, 5, 7].flatMap((stream) => [
      headers(stream, { ':status': '200' }),
      data(stream, 'x'.repeat(300), END_STREAM),
    ]),
  );
  const changes = fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { maxLength: 8 });
  fc.assert(
    fc.property(changes, (changed) => {
      const recorder = recordExchanges();
      const damaged = Buffer.from(bytes);
      for (const [position, value] of changed) damaged[position] = value;
      recorder.connection.write(CLIENT_BEGIN, 1);
      for (const stream of [1, 3, 5, 7])
        recorder.connection.write(requestHeaders(stream, {}, END_HEADERS | END_STREAM), 1);
      recorder.connection.read(SERVER_BEGIN, 2);
      for (const piece of cutAt(damaged, [100, 500, 900])) recorder.connection.read(piece, 3);
      recorder.connection.close(4);
      assert.equal(recorder.exchanges().length, 4);
      const length = recorder.exchanges().join('').replaceAll(/<\d+>/g, '').length;
      assert.ok(length < bytes.length + 4 * 120, `${length}`);
    }),
    { numRuns: 300 },
  );
});
