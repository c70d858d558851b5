import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cutAt, plainCuts } from './cuts.ts';
import { recordExchanges } from './exchange-recorder.ts';
import { HTTP1_CASES, type Http1Case } from './http1-cases.ts';

type Cut = (bytes: Uint8Array) => readonly Uint8Array[];

function check({ bytes, exchanges, protocol }: Http1Case, cut: Cut): void {
  const recorder = recordExchanges();
  let time = 0;
  for (const [direction, text] of bytes) {
    for (const piece of cut(Buffer.from(text, 'latin1'))) {
      if (recorder.protocol() !== undefined) break;
      if (direction === '>') recorder.connection.write(piece, ++time);
      else recorder.connection.read(piece, ++time);
    }
  }
  recorder.connection.close(++time);
  assert.deepEqual(recorder.exchanges(), exchanges);
  assert.equal(recorder.protocol(), protocol);
}

describe('HTTP/1 connections, fed whole, byte by byte and cut at random', () => {
  for (const each of HTTP1_CASES) {
    test(each.name, () => {
      check(each, (bytes) => [bytes]);
      check(each, (bytes) => plainCuts(bytes)[1]?.pieces ?? []);
      const cuts = fc.array(fc.nat({ max: 120 }), { maxLength: 12 });
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

const GET = Buffer.from('GET / HTTP/1.1\r\n\r\n');
const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('a gap in a response', () => {
  test('inside a body of known length, the rest of it and the next exchange are read', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'), 2);
    connection.readGap(4, 3);
    connection.read(bytes('xyz'), 4);
    connection.write(GET, 5);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 6);
    assert.deepEqual(exchanges(), ['GET / "" -> 200 "abc<4>xyz" whole', 'GET / "" -> 200 "ok" whole']);
  });

  test('inside one chunk, the rest of it is read', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.read(bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab'), 2);
    connection.readGap(4, 3);
    connection.read(bytes('gh\r\n1\r\n!\r\n0\r\n\r\n'), 4);
    assert.deepEqual(exchanges(), ['GET / "" -> 200 "ab<4>gh!" whole']);
  });

  test('across chunks, reading goes on at the next one', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.read(bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'), 2);
    connection.readGap(20, 3);
    connection.read(bytes('lost\r\n4\r\nback\r\n0\r\n\r\n'), 4);
    connection.write(GET, 5);
    assert.deepEqual(exchanges()[0], 'GET / "" -> 200 "abc<20><6>back" whole');
  });

  test('across chunks, a piece may begin with the next one', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.read(bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), 2);
    connection.readGap(20, 3);
    connection.read(bytes('4\r\nback\r\n0\r\n\r\n'), 4);
    assert.deepEqual(exchanges(), ['GET / "" -> 200 "<20>back" whole']);
  });

  test('over the end of a chunked body, the next exchange ends it', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.read(bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'), 2);
    connection.readGap(20, 3);
    connection.write(GET, 4);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 5);
    assert.deepEqual(exchanges(), ['GET / "" -> 200 "abc<20>" lost', 'GET / "" -> 200 "ok" whole']);
  });

  test('over a whole response, the next one is not taken for it', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(GET, 1);
    connection.write(bytes('GET /2 HTTP/1.1\r\n\r\n'), 2);
    connection.readGap(50, 3);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 4);
    assert.deepEqual(exchanges(), ['GET / "" -> none "<50>" lost', 'GET /2 "" -> 200 "ok" whole']);
  });
});

describe('a gap in a request', () => {
  test('inside its body is marked, and the response is its own', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(bytes('POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc'), 1);
    connection.writeGap(4, 2);
    connection.write(bytes('xyz'), 3);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 4);
    assert.deepEqual(exchanges(), ['POST / "abc<4>xyz" -> 200 "ok" whole']);
  });

  test('over its end makes it broken off, and the next request is found', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(bytes('POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc'), 1);
    connection.writeGap(40, 2);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 3);
    connection.write(GET, 4);
    connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 5);
    assert.deepEqual(exchanges(), [
      'POST / "abc<7>" -> 200 "ok" request-broke-off whole',
      'GET / "" -> 200 "ok" whole',
    ]);
  });
});

test('a response of known length that broke off is not continued by the next response', () => {
  const { connection, exchanges } = recordExchanges();
  connection.write(GET, 1);
  connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc'), 2);
  connection.write(GET, 3);
  connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 4);
  assert.deepEqual(exchanges(), ['GET / "" -> 200 "abc" lost', 'GET / "" -> 200 "ok" whole']);
});

test('a head longer than allowed is passed over', () => {
  const { connection, exchanges, counts } = recordExchanges();
  connection.write(bytes(`GET / HTTP/1.1\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(400)}\r\n`), 1);
  connection.write(bytes(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`), 2);
  connection.write(GET, 3);
  connection.read(bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 4);
  assert.deepEqual(exchanges(), ['GET / "" -> 200 "ok" whole']);
  assert.equal(counts.get('joined_midstream'), 1);
});

test('whatever bytes come, every exchange ends exactly once and nothing is thrown', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .constantFrom(
        'GET / HTTP/1.1\r\n',
        'HTTP/1.1 200 OK\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Content-Length: 7\r\n',
        '\r\n',
        '5\r\nabcde\r\n',
        '0\r\n\r\n',
      )
      .map((text) => Buffer.from(text)),
  );
  const step = fc.record({ write: fc.boolean(), data: noise, gap: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { connection, exchanges } = recordExchanges();
      for (const { write, data, gap } of steps) {
        if (write) connection.write(data, 1);
        else connection.read(data, 1);
        if (gap === 9) write ? connection.writeGap(gap, 1) : connection.readGap(gap, 1);
      }
      connection.close(2);
      for (const line of exchanges()) assert.equal(line.match(/ (whole|closed|cut|lost)(?= |$)/g)?.length, 1, line);
    }),
    { numRuns: 300 },
  );
});
