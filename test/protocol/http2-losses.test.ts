import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { recordExchanges } from './exchange-recorder.ts';
import {
  CLIENT_BEGIN,
  data,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  headers,
  indexedFieldBlock,
  PADDED,
  padded,
  requestHeaders,
  SERVER_BEGIN,
} from './http2-bytes.ts';

const OK = { ':status': '200' };
const END = END_HEADERS | END_STREAM;
const LINE = 'POST /v1/chat ""';

/** A connection on which requests were sent on these streams, whole. */
function begun(...streams: readonly number[]) {
  const recorder = recordExchanges();
  const { connection } = recorder;
  connection.write(CLIENT_BEGIN, 1);
  connection.read(SERVER_BEGIN, 2);
  for (const stream of streams) connection.write(requestHeaders(stream, {}, END), 3);
  return { ...recorder, read: (...frames: Buffer[]) => connection.read(Buffer.concat(frames), 4) };
}

describe('bytes of responses are missing', () => {
  test('inside of a DATA frame: its rest and all that follows are read', () => {
    const { connection, read, exchanges } = begun(1, 3);
    read(headers(1, OK), data(1, 'abcdefgh').subarray(0, 11));
    connection.readGap(4, 5);
    read(Buffer.from('gh'), data(1, '!', END_STREAM), headers(3, OK, END));
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "ab<4>gh!" whole`, `${LINE} -> 200 "" whole`]);
  });

  test('with the end of a DATA frame that ends its stream: the stream is over', () => {
    const { connection, read, exchanges } = begun(1);
    read(headers(1, OK), data(1, 'abcdefgh', END_STREAM).subarray(0, 11));
    connection.readGap(6, 5);
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "ab<6>" whole`]);
  });

  test('inside of a padded frame: its padding is not taken for data', () => {
    const { connection, read, exchanges } = begun(1);
    read(headers(1, OK), data(1, padded('abcdef', 20), PADDED).subarray(0, 9));
    connection.readGap(3, 5);
    read(data(1, padded('abcdef', 20), PADDED).subarray(12), data(1, '!', END_STREAM));
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "<3>!" whole`]);
  });

  test('over several frames: reading goes on at the next one, and the only open stream is told how many', () => {
    const { connection, read, exchanges } = begun(1);
    read(headers(1, OK), data(1, 'abc'));
    connection.readGap(30, 5);
    read(Buffer.from('end of one'), data(1, 'xyz'), data(1, '!', END_STREAM));
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "abc<30><10>xyz!" whole`]);
  });

  test('over several frames of several streams: each is marked', () => {
    const { connection, read, exchanges } = begun(1, 3);
    read(headers(1, OK), headers(3, OK), data(1, 'abc'));
    connection.readGap(30, 5);
    read(data(3, 'xyz', END_STREAM), data(1, '!', END_STREAM));
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "abc<0>!" whole`, `${LINE} -> 200 "<0>xyz" whole`]);
  });

  test('with the head: what follows of it is not read, and no status is made up', () => {
    const { connection, read, exchanges } = begun(1, 3);
    read(headers(1, { ...OK, a: 'long' }).subarray(0, 12));
    connection.readGap(3, 5);
    read(headers(1, { ...OK, a: 'long' }).subarray(15), data(1, 'unread', END_STREAM), headers(3, OK, END));
    assert.deepEqual(exchanges(), [`${LINE} -> none "<0>" lost`, `${LINE} -> 200 "" whole`]);
  });

  test('with the end of a stream: it is given up when many more have begun', () => {
    const { connection, read, exchanges } = begun(1);
    read(headers(1, OK), data(1, 'abc'));
    connection.readGap(30, 5);
    for (let stream = 3; stream <= 35; stream += 2) {
      assert.match(exchanges()[0] ?? '', /"abc<30>"$/);
      connection.write(requestHeaders(stream, {}, END), 6);
      read(headers(stream, OK, END));
    }
    assert.equal(exchanges()[0], `${LINE} -> 200 "abc<30><0>" lost`);
  });

  test('with the end of a stream: when the connection is closed, nobody knows how it ended', () => {
    const { connection, read, exchanges } = begun(1);
    read(headers(1, OK), data(1, 'abc'));
    connection.readGap(30, 5);
    connection.close(6);
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "abc<30>" lost`]);
  });

  test('with fields that are used again: they are not known, instead of being others', () => {
    const { connection, read, exchanges } = begun(1, 3, 5);
    read(frame(1, END, 1, indexedFieldBlock({ ':status': '418' })));
    connection.readGap(frame(1, END, 3, indexedFieldBlock({ ':status': '529' })).length, 5);
    read(frame(1, END, 5, Buffer.from([0xbe])));
    assert.deepEqual(exchanges(), [
      `${LINE} -> 418 "" whole`,
      `${LINE} -> none "<0>"`,
      `${LINE} -> none "<0><0>" lost`,
    ]);
  });
});

describe('bytes of requests are missing', () => {
  test('inside of a DATA frame: its rest and the response are read', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(
      Buffer.concat([CLIENT_BEGIN, requestHeaders(1), data(1, 'abcdefgh', END_STREAM).subarray(0, 11)]),
      1,
    );
    connection.writeGap(4, 2);
    connection.write(Buffer.from('gh'), 3);
    connection.read(Buffer.concat([SERVER_BEGIN, headers(1, OK, END)]), 4);
    assert.deepEqual(exchanges(), ['POST /v1/chat "ab<4>gh" -> 200 "" whole']);
  });

  test('with a head: the other requests are read', () => {
    const { connection, exchanges, counts } = recordExchanges();
    connection.write(CLIENT_BEGIN, 1);
    connection.writeGap(requestHeaders(1, {}, END).length, 2);
    connection.write(requestHeaders(3, { ':path': '/3' }, END), 3);
    connection.read(Buffer.concat([SERVER_BEGIN, headers(1, OK, END), headers(3, OK, END)]), 4);
    assert.deepEqual(exchanges(), ['POST /3 "" -> 200 "" whole']);
    assert.equal(counts.get('orphan_response'), undefined);
  });
});

describe('a connection joined in the middle', () => {
  const REQUEST = requestHeaders(101, {}, END);

  test('is read from the next request on', () => {
    const { connection, exchanges, protocol } = recordExchanges();
    connection.read(Buffer.concat([data(99, 'of an older call'), data(99, '', END_STREAM)]), 1);
    connection.write(REQUEST, 2);
    connection.read(Buffer.concat([headers(101, OK), data(101, 'text', END_STREAM)]), 3);
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "text" whole`]);
    assert.equal(protocol(), undefined);
  });

  test('in the middle of a frame, which may be one of the next response', () => {
    const { connection, exchanges } = recordExchanges();
    connection.write(REQUEST, 1);
    connection.read(
      Buffer.concat([Buffer.from('"older": "call"}'), headers(101, OK), data(101, 'text', END_STREAM)]),
      2,
    );
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "<16>text" whole`]);
  });

  test('has requests that cannot be told, where they refer to older ones', () => {
    const { connection, exchanges, protocol, counts } = recordExchanges();
    connection.write(frame(1, END, 101, Buffer.from([0x83, 0xbe, 0xbf])), 1);
    connection.read(headers(101, OK, END), 2);
    assert.deepEqual(exchanges(), []);
    assert.equal(protocol(), 'http2');
    assert.equal(counts.get('joined_midstream'), 1);
    assert.equal(counts.get('orphan_response'), undefined);
  });

  test('knows that fields of a head are not known', () => {
    const partial: (boolean | undefined)[] = [];
    const { connection } = recordExchanges((head) => partial.push(head.is_partial));
    connection.write(
      frame(1, END, 101, Buffer.concat([fieldBlock({ ':method': 'GET', ':path': '/' }), Buffer.from([0xbe])])),
      1,
    );
    connection.write(frame(1, END, 103, fieldBlock({ ':method': 'GET', ':path': '/' })), 2);
    assert.deepEqual(partial, [true, false]);
  });

  test('by its server’s settings, before the client’s preface was told, is no such connection', () => {
    const { connection, exchanges } = recordExchanges();
    connection.read(SERVER_BEGIN, 1);
    connection.write(CLIENT_BEGIN, 2);
    connection.write(requestHeaders(1, {}, END), 3);
    connection.read(headers(1, OK, END), 4);
    assert.deepEqual(exchanges(), [`${LINE} -> 200 "" whole`]);
  });

  test('of which nothing can be read is told', () => {
    const { connection, protocol } = recordExchanges();
    connection.write(frame(6, 0, 0, 'pingping'), 1);
    connection.write(frame(8, 0, 0, 'wind'), 2);
    connection.write(Buffer.alloc(100_000, 0xaa), 3);
    assert.equal(protocol(), 'http2');
  });
});

test('wherever a gap is in a response, what was not lost of the next one is read', () => {
  const first = Buffer.concat([headers(1, OK), data(1, 'a'.repeat(50)), data(1, 'b'.repeat(50), END_STREAM)]);
  const second = Buffer.concat([headers(3, OK), data(3, 'second', END_STREAM)]);
  fc.assert(
    fc.property(fc.nat({ max: first.length - 1 }), fc.nat({ max: first.length }), (from, length) => {
      const end = Math.min(first.length, from + length);
      const { connection, read, exchanges } = begun(1, 3);
      read(first.subarray(0, from));
      if (end > from) connection.readGap(end - from, 5);
      read(first.subarray(end), second);
      connection.close(6);
      const [damaged = '', whole = ''] = exchanges();
      assert.match(whole, /^POST \/v1\/chat "" -> 200 "(?:<0>)*second" whole$/);
      assert.match(damaged, / (whole|lost)$/);
      assert.ok(end === from || damaged.includes('<'), damaged);
    }),
    { numRuns: 200 },
  );
});
