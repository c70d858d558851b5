import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cutAt } from '../protocol/cuts.ts';
import { chatRequest, eventChunk, jsonResponse, LAST_CHUNK, PROCESS, STREAM_HEAD, watch } from './watched.ts';

describe('one call', () => {
  test('is told when its request is complete, and when it ended', () => {
    const { connection, calls } = watch();
    const { write, read } = connection(0xabcn, { socket_id: 5n });
    write(chatRequest({ prompt: 'hi' }, ['User-Agent: curl/8', 'traceparent: 00-1-2-01', 'tracestate: a=b']));
    assert.deepEqual(
      calls().map(({ phase, response }) => [phase, response]),
      [['request', undefined]],
    );
    read(jsonResponse({ text: 'hello' }));
    const [request, end] = calls();
    assert.equal(request?.call_id, '7:70/abc/1');
    assert.equal(end?.call_id, request?.call_id);
    assert.deepEqual(end, {
      ...request,
      phase: 'end',
      response: {
        finish_reasons: [],
        messages: [{ role: 'assistant', parts: [{ type: 'text', content: 'hello' }] }],
        tool_calls: [],
        usage: {},
        attributes: {},
      },
      request_start_ns: 1005n,
      request_end_ns: 1010n,
      response_first_chunk_ns: 1020n,
      end_ns: 1020n,
      response_bytes: 16,
      http_status: 200,
      process: PROCESS,
      pid: 7,
      tid: 8,
      socket_id: 5n,
      server_address: 'llm.example',
      server_port: 8443,
      user_agent: 'curl/8',
      traceparent: '00-1-2-01',
      tracestate: 'a=b',
      gaps: [],
      error: undefined,
    });
  });

  test('begins with the write of its first byte; its first chunk is the first byte of the body', () => {
    const { connection, only } = watch();
    const { write, read } = connection(1n);
    const request = chatRequest({ stream: true });
    for (const piece of cutAt(request, [20, 60])) write(piece);
    read(STREAM_HEAD);
    read(eventChunk({ text: 'a' }));
    read(eventChunk({ text: 'b' }));
    read(eventChunk('[DONE]') + LAST_CHUNK);
    const { request_start_ns, request_end_ns, response_first_chunk_ns, end_ns, request_bytes } = only();
    assert.deepEqual([request_start_ns, request_end_ns, response_first_chunk_ns, end_ns], [1005n, 1030n, 1050n, 1070n]);
    assert.equal(request_bytes, request.length - request.indexOf('\r\n\r\n') - 4);
  });

  test('has its headers and the first events in one read', () => {
    const { connection, only, answer } = watch();
    const { write, read } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'a' }) + eventChunk({ text: 'b' }));
    read(eventChunk('[DONE]'));
    assert.equal(answer(only()), 'ab');
    assert.equal(only().response_first_chunk_ns, 1020n);
  });

  test('is over when the provider says so, although the client never reads the last chunk', () => {
    const { connection, only, ended } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'a' }) + eventChunk('[DONE]'));
    assert.equal(ended().length, 1);
    close();
    assert.equal(only().error, undefined);
    assert.deepEqual(only().gaps, []);
  });

  test('is the same however its bytes are cut', () => {
    const request = chatRequest({ prompt: 'héllo', stream: true });
    const response = Buffer.from(STREAM_HEAD + eventChunk({ text: 'ä€😀' }) + eventChunk('[DONE]') + LAST_CHUNK);
    const run = (request_cuts: readonly number[], response_cuts: readonly number[]) => {
      const { connection, only } = watch();
      const { write, read } = connection(1n);
      for (const piece of cutAt(request, request_cuts)) write(piece);
      for (const piece of cutAt(response, response_cuts)) read(piece);
      const { request: asked, response: answered, error, gaps, request_bytes, response_bytes } = only();
      return { asked, answered, error, gaps, request_bytes, response_bytes };
    };
    const whole = run([], []);
    assert.deepEqual(whole.gaps, []);
    assert.deepEqual(run([...request.keys()], [...response.keys()]), whole);
    const cuts = (bytes: Uint8Array) => fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 10 });
    fc.assert(
      fc.property(cuts(request), cuts(response), (a, b) => assert.deepEqual(run(a, b), whole)),
      { numRuns: 50 },
    );
  });

  test('keeps credentials to itself', () => {
    const { connection, calls, seen } = watch();
    const { write, read } = connection(1n);
    write(chatRequest({}, ['Authorization: Bearer s3cret', 'X-Api-Key: s3cret', 'Cookie: s3cret']));
    read(jsonResponse({ text: 'hello' }));
    assert.equal(calls().length, 2);
    assert.doesNotMatch(
      JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
      /s3cret/,
    );
  });
});

describe('several calls', () => {
  test('one after the other on one connection', () => {
    const { connection, ended, answer } = watch();
    const { write, read } = connection(1n);
    for (const text of ['one', 'two', 'three']) {
      write(chatRequest());
      read(jsonResponse({ text }));
    }
    assert.deepEqual(ended().map(answer), ['one', 'two', 'three']);
    assert.deepEqual(
      ended().map(({ call_id }) => call_id),
      ['7:70/1/1', '7:70/1/2', '7:70/1/3'],
    );
  });

  test('pipelined in one write', () => {
    const { connection, ended, answer } = watch();
    const { write, read } = connection(1n);
    write(Buffer.concat([chatRequest({ prompt: 'a' }), chatRequest({ prompt: 'b' })]));
    read(Buffer.concat([jsonResponse({ text: 'A' }), jsonResponse({ text: 'B' })]));
    assert.deepEqual(ended().map(answer), ['A', 'B']);
  });

  test('four at the same time on four connections, their bytes interleaved', () => {
    const { connection, ended, answer, calls } = watch();
    const streams = [1n, 2n, 3n, 4n].map((id) => ({
      id,
      ...connection(id),
      request: cutAt(chatRequest({ prompt: `${id}` }), [30, 60, 90]),
      response: cutAt(Buffer.from(STREAM_HEAD + eventChunk({ text: `${id}` }) + eventChunk('[DONE]')), [40, 80, 120]),
    }));
    for (const index of [0, 1, 2, 3]) {
      for (const { write, request } of streams) write(request[index] ?? '');
    }
    for (const index of [0, 1, 2, 3]) {
      for (const { read, response } of streams) read(response[index] ?? '');
    }
    assert.equal(calls().length, 8);
    assert.deepEqual(ended().map(answer), ['1', '2', '3', '4']);
  });

  test('among requests that are none of a model, which are dropped', () => {
    const { connection, ended, seen, counters } = watch();
    const { write, read } = connection(1n);
    write('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
    read(jsonResponse({ data: [] }));
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }));
    assert.equal(ended().length, 1);
    assert.equal(seen.length, 2);
    assert.equal(counters.get('exchange.requests'), 2);
  });

  test('of which the first was early refused, before its request was whole', () => {
    const { connection, calls } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest({ prompt: 'long' }).subarray(0, -10));
    read(jsonResponse({ error: 'too_large' }, '413 Content Too Large'));
    close();
    assert.deepEqual(
      calls().map(({ phase }) => phase),
      ['request', 'end'],
    );
    assert.equal(calls()[1]?.error?.type, 'too_large');
  });
});

test('the server is named by the Host header, else by its address and port', () => {
  const cases: readonly (readonly [host: string, address: string, port: number])[] = [
    ['Host: LLM.example\r\n', 'llm.example', 443],
    ['Host: [::1]:8443\r\n', '::1', 8443],
    ['', '10.0.0.1', 444],
  ];
  for (const [host, address, port] of cases) {
    const { event, connection, only } = watch();
    const peer = { family: 'ipv4', address: '10.0.0.1', port: 444 };
    event({ kind: 'net_open', operation: 'connect', socket_id: 5n, peer });
    const { write, read } = connection(1n, { socket_id: 5n });
    write(chatRequest().toString().replace('Host: llm.example:8443\r\n', host));
    read(jsonResponse({ text: 'hello' }));
    assert.deepEqual([only().server_address, only().server_port], [address, port]);
  }
});
