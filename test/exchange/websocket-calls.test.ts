import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { UnreadTrafficEvent } from '../../src/model/event.ts';
import { webSocketApis } from '../../src/providers/websocket-apis.ts';
import { cutAt } from '../protocol/cuts.ts';
import {
  CLIENT_BEGIN,
  data,
  END_HEADERS,
  END_STREAM,
  headers,
  requestHeaders,
  reset,
  SERVER_BEGIN,
} from '../protocol/http2-bytes.ts';
import { createDeflater, frame, MASK, TEXT } from '../protocol/websocket-bytes.ts';
import { watch } from './watched.ts';
import { answer, ask, open, SWITCHED, UPGRADE } from './websocket-scene.ts';

describe('the Responses API over a WebSocket', () => {
  test('each request is a call, told when it is complete and when it ended', () => {
    const { say, hear, calls, ended, answer: text } = open();
    say(ask({ instructions: 'Be brief.', tools: [{ type: 'function', name: 'shell' }] }));
    assert.deepEqual(
      calls().map(({ phase }) => phase),
      ['request'],
    );
    for (const event of answer('resp_1', 'hello')) hear(event);
    say(ask({ previous_response_id: 'resp_1', input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] }));
    for (const event of answer('resp_2', 'done')) hear(event);
    const [first, second] = ended();
    assert.equal(ended().length, 2);
    assert.deepEqual(
      [first, second].map((call) => call && text(call)),
      ['hello', 'done'],
    );
    assert.deepEqual(first?.request.system_instructions, [{ type: 'text', content: 'Be brief.' }]);
    assert.deepEqual(first?.request.tools, [{ type: 'function', name: 'shell' }]);
    assert.equal(first?.request.model, 'gpt-5');
    assert.equal(first?.request.conversation_id, 's-1');
    assert.equal(first?.response?.id, 'resp_1');
    assert.deepEqual(first?.response?.usage, { input_tokens: 10, output_tokens: 2 });
    assert.deepEqual(first?.response?.finish_reasons, ['stop']);
    assert.equal(second?.request.previous_response_id, 'resp_1');
    assert.deepEqual(second?.request.messages, [
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: 'x' }] },
    ]);
    for (const call of ended()) {
      assert.deepEqual([call.error, call.gaps, call.http_status], [undefined, [], 101]);
      assert.deepEqual([call.server_address, call.server_port, call.socket_id], ['api.openai.com', 443, 5n]);
    }
    assert.notEqual(first?.call_id, second?.call_id);
  });

  test('times and bytes are those of its messages', () => {
    const { say, hear, only } = open();
    const request = ask();
    const events = answer('resp_1', 'hello');
    say(request);
    for (const event of events) hear(event);
    const { request_start_ns, request_end_ns, response_first_chunk_ns, end_ns, request_bytes, response_bytes } = only();
    assert.deepEqual([request_start_ns, request_end_ns, response_first_chunk_ns, end_ns], [1025n, 1030n, 1040n, 1090n]);
    assert.equal(request_bytes, JSON.stringify(request).length);
    assert.equal(
      response_bytes,
      events.map((event) => JSON.stringify(event).length).reduce((sum, bytes) => sum + bytes),
    );
  });

  test('a request that only warms up is one', () => {
    const { say, hear, only } = open();
    say(ask({ generate: false, input: [] }));
    hear({ type: 'response.created', response: { id: 'resp_w', status: 'in_progress' } });
    hear({ type: 'response.completed', response: { id: 'resp_w', status: 'completed', output: [] } });
    assert.equal(only().request.is_warm_up, true);
    assert.equal(only().error, undefined);
  });

  test('other events of the server are no part of a call', () => {
    const { say, hear, only, answer: text } = open();
    hear({ type: 'codex.rate_limits', rate_limits: {} });
    say(ask());
    hear({ type: 'codex.rate_limits', rate_limits: {} });
    for (const event of answer('resp_1', 'hello')) hear(event);
    hear({ type: 'response.completed', response: { id: 'resp_1' } });
    assert.equal(text(only()), 'hello');
  });

  test('is recognised by what a client says first, whatever the path', () => {
    const { say, hear, only } = open('', UPGRADE.replace('/v1/responses', '/agent'));
    say(ask());
    for (const event of answer('resp_1', 'hello')) hear(event);
    assert.equal(only().response?.id, 'resp_1');
  });

  for (const terms of [
    'permessage-deflate',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  ]) {
    test(`compressed, and cut anywhere, it is the same (${terms})`, async () => {
      const messages = [ask({ instructions: 'ä'.repeat(500) }), ...answer('resp_1', 'hello 🥊')];
      const keeps_context = !terms.includes('no_context');
      const client = createDeflater(keeps_context);
      const server = createDeflater(keeps_context);
      const [request, ...events] = messages;
      const sent = frame(TEXT, await client(JSON.stringify(request)), { mask: MASK, rsv1: true });
      const received: Buffer[] = [];
      for (const event of events) received.push(frame(TEXT, await server(JSON.stringify(event)), { rsv1: true }));
      const bytes = Buffer.concat(received);
      const run = (sent_cuts: readonly number[], received_cuts: readonly number[]) => {
        const { write, read, only } = open(terms);
        for (const piece of cutAt(sent, sent_cuts)) write(piece);
        for (const piece of cutAt(bytes, received_cuts)) read(piece);
        const { request: asked, response, error, gaps } = only();
        return { asked, text: response?.messages, error, gaps };
      };
      const whole = run([], []);
      assert.deepEqual(whole.gaps, []);
      const positions = (of: Uint8Array) => fc.array(fc.nat({ max: of.length - 1 }), { maxLength: 10 });
      fc.assert(
        fc.property(positions(sent), positions(bytes), (a, b) => assert.deepEqual(run(a, b), whole)),
        { numRuns: 30 },
      );
    });
  }
});

describe('a WebSocket on a stream of HTTP/2', () => {
  const connect = (stream: number) =>
    requestHeaders(stream, { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/v1/responses' });
  const begun = () => {
    const watched = watch({}, undefined, webSocketApis);
    const connection = watched.connection(1n, { socket_id: 5n });
    connection.write(Buffer.concat([CLIENT_BEGIN, connect(1)]));
    connection.read(Buffer.concat([SERVER_BEGIN, headers(1, { ':status': '200' })]));
    const say = (message: unknown) => connection.write(data(1, frame(TEXT, JSON.stringify(message), { mask: MASK })));
    const hear = (message: unknown) => connection.read(data(1, frame(TEXT, JSON.stringify(message))));
    return { ...watched, ...connection, say, hear };
  };

  test('is read beside the other streams', () => {
    const { say, hear, write, read, ended, answer: text } = begun();
    say(ask());
    write(requestHeaders(3));
    write(data(3, JSON.stringify({ model: 'm' }), END_STREAM));
    const [first, ...rest] = answer('resp_1', 'hello');
    hear(first);
    read(headers(3, { ':status': '200' }));
    read(data(3, JSON.stringify({ text: 'beside' }), END_STREAM));
    for (const event of rest) hear(event);
    assert.deepEqual(ended().map(text), ['beside', 'hello']);
    for (const { error, gaps } of ended()) assert.deepEqual([error, gaps], [undefined, []]);
  });

  test('ends with its stream', () => {
    const { say, hear, read, only } = begun();
    say(ask());
    for (const event of answer('resp_1', 'hello').slice(0, 3)) hear(event);
    read(reset(1, 2));
    assert.deepEqual(only().error, { type: 'cut', message: 'the server reset the stream (INTERNAL_ERROR)' });
  });

  test('a request that is refused is none', () => {
    const { connection, seen } = watch({}, undefined, webSocketApis);
    const { write, read } = connection(1n);
    write(Buffer.concat([CLIENT_BEGIN, connect(1)]));
    read(Buffer.concat([SERVER_BEGIN, headers(1, { ':status': '403' }, END_HEADERS | END_STREAM)]));
    assert.deepEqual(seen, []);
  });
});

describe('a WebSocket whose beginning was not seen', () => {
  const joined = () => {
    const watched = watch({}, undefined, webSocketApis);
    const connection = watched.connection(1n, { socket_id: 5n });
    const say = (message: unknown) => connection.write(frame(TEXT, JSON.stringify(message), { mask: MASK }));
    const hear = (message: unknown) => connection.read(frame(TEXT, JSON.stringify(message)));
    return { ...watched, ...connection, say, hear };
  };

  test('is read from the first request on, and its calls say so', () => {
    const { say, hear, read, only, answer: text, counters } = joined();
    read(frame(TEXT, JSON.stringify(answer('resp_0', 'before')[4])).subarray(20));
    say(ask());
    for (const event of answer('resp_1', 'hello')) hear(event);
    assert.equal(text(only()), 'hello');
    assert.deepEqual(only().gaps, [{ reason: 'joined_midstream', bytes: 0, detail: 'request head' }]);
    assert.equal(only().http_status, undefined);
    assert.ok(counters.get('exchange.joined_midstream') > 0);
  });

  test('as far as its messages do not refer to what was before', async () => {
    const { write, read, close, ended } = joined();
    const client = createDeflater(false);
    const server = createDeflater(true);
    await server(JSON.stringify(answer('resp_0', 'before')[0]));
    write(frame(TEXT, await client(JSON.stringify(ask())), { mask: MASK, rsv1: true }));
    for (const event of answer('resp_1', 'hello'))
      read(frame(TEXT, await server(JSON.stringify(event)), { rsv1: true }));
    close();
    assert.deepEqual(
      ended().map(({ gaps, error }) => [gaps.map(({ reason }) => reason), error]),
      [[['joined_midstream', 'decompression'], undefined]],
    );
  });
});

describe('another WebSocket', () => {
  const unread = (seen: readonly { kind: string }[]) =>
    seen
      .filter((event): event is UnreadTrafficEvent => event.kind === 'unread_traffic')
      .map(({ protocol }) => protocol);
  const other = UPGRADE.replace('/v1/responses', '/chat');

  test('is told as unread once it is clear that it is none of a model', () => {
    const { say, seen } = open('', other);
    for (const text of ['a', 'b', 'c']) say({ text });
    assert.deepEqual(unread(seen), []);
    say({ text: 'd' });
    say({ text: 'e' });
    assert.deepEqual(unread(seen), ['websocket']);
  });

  test('at its end, if it was short', () => {
    const { close, seen } = open('', other);
    close();
    assert.deepEqual(unread(seen), ['websocket']);
  });

  test('is told even where its path is that of a model, once its messages show it', () => {
    const { say, hear, seen } = open('', UPGRADE.replace('/v1/responses', '/api/realtime'));
    for (const topic of ['a', 'b']) {
      say({ topic, event: 'phx_join' });
      if (topic === 'a') hear({ topic, event: 'phx_reply' });
    }
    assert.deepEqual(unread(seen), []);
    hear({ topic: 'b', event: 'phx_reply' });
    assert.deepEqual(unread(seen), ['websocket']);
  });

  test('is none that speaks to a model, whatever it speaks of later', () => {
    const { say, hear, close, seen } = open('', UPGRADE.replace('/v1/responses', '/v1/realtime'));
    hear({ type: 'session.created', session: { model: 'gpt-realtime' } });
    for (let count = 0; count < 5; count++) say({ type: 'of tomorrow' });
    close();
    assert.deepEqual(unread(seen), []);
  });

  test('is told without TLS, too', () => {
    const { socket, seen, counters } = watch({}, [], webSocketApis);
    const { write, read } = socket(5n);
    write(other);
    read(`${SWITCHED}\r\n`);
    for (let count = 0; count < 5; count++) write(frame(TEXT, '{"text":"a"}', { mask: MASK }));
    assert.deepEqual(unread(seen), ['websocket']);
    assert.equal(counters.get('exchange.unread_plain_websocket'), 1);
  });
});
