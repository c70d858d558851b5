import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { cutAt } from '../protocol/cuts.ts';
import {
  CLIENT_BEGIN,
  data,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  goaway,
  headers,
  requestHeaders,
  reset,
  SERVER_BEGIN,
} from '../protocol/http2-bytes.ts';
import { chatRequest, jsonResponse, PROCESS, watch } from './watched.ts';

const gapsOf = (call: { gaps: readonly { reason: string; bytes: number; detail: string }[] } | undefined) =>
  call?.gaps.map(({ reason, bytes, detail }) => `${reason} ${bytes} ${detail}`);

/** A request to the fake provider, whole. */
function chat(stream: number, body: Record<string, unknown> = {}, fields: Record<string, string> = {}): Buffer {
  return Buffer.concat([
    requestHeaders(stream, fields),
    data(stream, JSON.stringify({ model: 'm', ...body }), END_STREAM),
  ]);
}

function answer(stream: number, body: unknown, status = '200'): Buffer {
  const head = headers(stream, { ':status': status, 'content-type': 'application/json' });
  return Buffer.concat([head, data(stream, JSON.stringify(body), END_STREAM)]);
}

const streamHead = (stream: number, fields: Record<string, string> = {}): Buffer =>
  headers(stream, { ':status': '200', 'content-type': 'text/event-stream', ...fields });
const event = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

/** A watched connection that began with the preface. */
function begun() {
  const watched = watch();
  const connection = watched.connection(1n, { socket_id: 5n });
  connection.write(CLIENT_BEGIN);
  connection.read(SERVER_BEGIN);
  return { ...watched, ...connection };
}

describe('a call over HTTP/2', () => {
  test('is told like one over HTTP/1.1', () => {
    const { write, read, calls, seen, answer: answerOf } = begun();
    write(
      chat(1, { prompt: 'hi' }, { 'user-agent': 'curl/8', traceparent: '00-1-2-01', authorization: 'Bearer s3cret' }),
    );
    assert.deepEqual(
      calls().map(({ phase }) => phase),
      ['request'],
    );
    read(answer(1, { text: 'hello' }));
    const [, end] = calls();
    assert.ok(end);
    assert.equal(answerOf(end), 'hello');
    const { call_id, server_address, server_port, http_status, user_agent, traceparent, error, gaps } = end;
    assert.deepEqual(
      { call_id, server_address, server_port, http_status, user_agent, traceparent, error, gaps },
      {
        call_id: `${PROCESS}/1/1`,
        server_address: 'llm.example',
        server_port: 8443,
        http_status: 200,
        user_agent: 'curl/8',
        traceparent: '00-1-2-01',
        error: undefined,
        gaps: [],
      },
    );
    const { request_start_ns, request_end_ns, response_first_chunk_ns, end_ns, request_bytes, response_bytes } = end;
    assert.deepEqual([request_start_ns, request_end_ns, response_first_chunk_ns, end_ns], [1025n, 1030n, 1040n, 1040n]);
    assert.deepEqual([request_bytes, response_bytes], [27, 16]);
    assert.doesNotMatch(
      JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
      /s3cret|unread_traffic/,
    );
  });

  test('streams its answer, and is over when the provider says so', () => {
    const { write, read, ended, only, answer: answerOf } = begun();
    write(chat(1, { stream: true }));
    read(streamHead(1));
    read(data(1, event({ text: 'a' }) + event({ text: 'b' })));
    read(data(1, event('[DONE]')));
    assert.equal(ended().length, 1);
    write(reset(1, 8));
    assert.equal(answerOf(only()), 'ab');
    assert.equal(only().error, undefined);
    assert.deepEqual(only().gaps, []);
  });

  for (const [coding, encode] of [
    ['gzip', zlib.gzipSync],
    ['br', zlib.brotliCompressSync],
    ['zstd', zlib.zstdCompressSync],
  ] as const) {
    test(`streams an answer that is compressed with ${coding}, however its bytes are cut`, () => {
      const body = encode(Buffer.from(event({ text: 'ä' }) + event({ text: '😀' }) + event('[DONE]')));
      const response = Buffer.concat([
        streamHead(1, { 'content-encoding': coding }),
        ...cutAt(body, [3, 11, 30]).map((piece) => data(1, piece)),
        data(1, '', END_STREAM),
      ]);
      fc.assert(
        fc.property(fc.array(fc.nat({ max: response.length - 1 }), { maxLength: 10 }), (positions) => {
          const { write, read, only, answer: answerOf } = begun();
          write(chat(1, { stream: true }));
          for (const piece of cutAt(response, positions)) read(piece);
          assert.equal(answerOf(only()), 'ä😀');
          assert.deepEqual(only().gaps, []);
        }),
        { numRuns: 25 },
      );
    });
  }

  test('is one of many at the same time, on one connection', () => {
    const { write, read, ended, answer: answerOf } = begun();
    for (const stream of [1, 3, 5]) write(chat(stream, { prompt: `${stream}` }));
    for (const stream of [5, 1, 3]) read(answer(stream, { text: `${stream}` }));
    assert.deepEqual(
      ended().map((call) => [call.call_id, answerOf(call)]),
      [
        ['7:70/1/3', '5'],
        ['7:70/1/1', '1'],
        ['7:70/1/2', '3'],
      ],
    );
  });

  test('is read among requests that are none of a model', () => {
    const { write, read, ended, counters } = begun();
    write(requestHeaders(1, { ':method': 'GET', ':path': '/v1/models' }, END_HEADERS | END_STREAM));
    write(chat(3));
    read(Buffer.concat([answer(3, { text: 'hello' }), answer(1, {})]));
    assert.equal(ended().length, 1);
    assert.equal(counters.get('exchange.requests'), 2);
  });
});

describe('a call over HTTP/2 fails', () => {
  test('with the error its provider tells', () => {
    const { write, read, only } = begun();
    write(chat(1));
    read(answer(1, { error: 'rate_limit_exceeded' }, '429'));
    assert.deepEqual([only().http_status, only().error?.type], [429, 'rate_limit_exceeded']);
  });

  test('because the server reset its stream', () => {
    const { write, read, only, answer: answerOf } = begun();
    write(chat(1, { stream: true }));
    read(Buffer.concat([streamHead(1), data(1, event({ text: 'half' })), reset(1, 2)]));
    assert.deepEqual(only().error, { type: 'cut', message: 'the server reset the stream (INTERNAL_ERROR)' });
    assert.equal(answerOf(only()), 'half');
    assert.deepEqual(gapsOf(only()), ['cut 0 response']);
  });

  test('because the client cancelled it', () => {
    const { write, only } = begun();
    write(chat(1));
    write(reset(1, 8));
    assert.deepEqual(only().error, { type: 'no_response', message: 'the client cancelled the stream (CANCEL)' });
  });

  test('because the server went away before it', () => {
    const { write, read, ended, answer: answerOf } = begun();
    write(chat(1));
    write(chat(3));
    read(Buffer.concat([goaway(1, 0), answer(1, { text: 'hello' })]));
    assert.deepEqual(
      ended().map((call) => [call.error?.message, answerOf(call)]),
      [
        ['the server went away (NO_ERROR)', undefined],
        [undefined, 'hello'],
      ],
    );
  });

  test('because the agent was killed: every call that was open', () => {
    const { write, read, ended, event: push } = begun();
    write(chat(1, { stream: true }));
    write(chat(3));
    read(streamHead(1));
    push({ kind: 'process_exit', exit_code: 0, signal: 9 });
    assert.deepEqual(
      ended().map(({ error }) => error),
      [
        { type: 'cut', message: 'the process ended' },
        { type: 'no_response', message: 'the process ended' },
      ],
    );
  });
});

describe('of an HTTP/2 connection', () => {
  test('bytes are lost: the call is whole but for them, and marked', () => {
    const { write, read, miss, only, answer: answerOf } = begun();
    const lost = data(1, event({ text: 'b' }));
    write(chat(1, { stream: true }));
    read(Buffer.concat([streamHead(1), data(1, event({ text: 'a' }))]));
    miss('read', lost.length);
    read(data(1, event({ text: 'c' }) + event({ text: 'd' })));
    read(data(1, event('[DONE]'), END_STREAM));
    write(frame(6, 0, 0, 'pingping'));
    assert.equal(only().error, undefined);
    assert.equal(answerOf(only()), 'ad');
    assert.deepEqual(gapsOf(only()), [`lost_bytes ${lost.length} response`]);
  });

  test('the middle is joined: calls are read whose heads are known, and what is not known of them is marked', () => {
    const { connection, only, seen, answer: answerOf } = watch();
    const { write, read } = connection(1n);
    write(
      Buffer.concat([
        frame(
          1,
          END_HEADERS,
          41,
          Buffer.concat([fieldBlock({ ':method': 'POST', ':path': '/v1/chat' }), Buffer.from([0xbe])]),
        ),
        data(41, '{}', END_STREAM),
      ]),
    );
    read(frame(1, END_HEADERS, 41, Buffer.from([0x88, 0xbe])));
    read(data(41, '{"text":"hello"}', END_STREAM));
    assert.equal(answerOf(only()), 'hello');
    assert.deepEqual(gapsOf(only()), ['joined_midstream 0 request head', 'joined_midstream 0 response head']);
    assert.ok(!seen.some(({ kind }) => kind === 'unread_traffic'));
  });

  test('the middle is joined, where requests refer to what was before: that is told once, and nothing is made up', () => {
    const { connection, seen, counters } = watch();
    const { write, read } = connection(1n, { socket_id: 5n });
    for (const stream of [41, 43]) {
      write(Buffer.concat([frame(1, END_HEADERS, stream, Buffer.from([0x83, 0xbe])), data(stream, '{}', END_STREAM)]));
      read(answer(stream, { text: 'hello' }));
    }
    assert.deepEqual(seen, [
      { kind: 'unread_traffic', ktime_ns: 1010n, process: PROCESS, pid: 7, tid: 8, socket_id: 5n, protocol: 'http2' },
    ]);
    assert.equal(counters.get('exchange.joined_midstream'), 2);
  });

  test('the object is used again: for HTTP/1.1, for HTTP/2', () => {
    const { write, read, ended, answer: answerOf } = begun();
    write(chat(1, { prompt: 'first' }));
    write(chatRequest({ prompt: 'second' }));
    read(jsonResponse({ text: 'two' }));
    write(CLIENT_BEGIN);
    read(SERVER_BEGIN);
    write(chat(1, { prompt: 'third' }));
    read(answer(1, { text: 'three' }));
    write(CLIENT_BEGIN);
    read(SERVER_BEGIN);
    write(chat(1, { prompt: 'fourth' }));
    read(answer(1, { text: 'four' }));
    assert.deepEqual(
      ended().map((call) => [call.error?.message, answerOf(call)]),
      [
        ['the connection object was used for another connection', undefined],
        [undefined, 'two'],
        [undefined, 'three'],
        [undefined, 'four'],
      ],
    );
  });

  test('the watched side is the server: no call is made of it', () => {
    const { connection, seen, counters } = watch();
    const { write, read, close } = connection(1n);
    read(Buffer.concat([CLIENT_BEGIN, chat(1)]));
    write(Buffer.concat([SERVER_BEGIN, answer(1, { text: 'hello' })]));
    close();
    assert.deepEqual(seen, []);
    assert.equal(counters.get('exchange.server_connections'), 1);
  });
});

test('of too many calls that are open at once on a connection the oldest is given up; 4096 are not too many', () => {
  const openCalls = (count: number, options: Parameters<typeof watch>[0] = {}) => {
    const { connection, ended, counters } = watch(options);
    const { write } = connection(1n, { socket_id: 5n });
    write(CLIENT_BEGIN);
    for (let call = 0; call < count; call++) write(chat(2 * call + 1));
    return { ended: ended().length, given_up: counters.get('exchange.too_many_streams') };
  };
  assert.deepEqual(openCalls(4096), { ended: 0, given_up: 0 });
  assert.deepEqual(openCalls(5, { max_streams: 3 }), { ended: 2, given_up: 2 });
});
