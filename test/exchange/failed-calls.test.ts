import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { providers } from '../../src/providers/providers.ts';
import { chatRequest, eventChunk, jsonResponse, STREAM_HEAD, watch } from './watched.ts';

const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';
const EVENT = `data: {"text":"a"}\n\n`;

const WHOLE_ANSWERS: readonly (readonly [target: string, answer: unknown])[] = [
  ['/v1/messages', { type: 'message', id: 'm', content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn' }],
  ['/v1/chat/completions', { id: 'c', choices: [{ index: 0, message: { content: 'hello' }, finish_reason: 'stop' }] }],
  ['/v1/responses', { id: 'r', status: 'completed', output: [] }],
  ['/v1beta/models/m:generateContent', { candidates: [{ content: { parts: [{ text: 'hello' }] } }] }],
  ['/api/chat', { model: 'm', message: { role: 'assistant', content: 'hello' }, done: true }],
];

describe('a call fails', () => {
  test('with the error its provider tells', () => {
    const { connection, only } = watch();
    const { write, read } = connection(1n);
    write(chatRequest());
    read(jsonResponse({ error: 'rate_limit_exceeded' }, '429 Too Many Requests'));
    assert.equal(only().http_status, 429);
    assert.equal(only().error?.type, 'rate_limit_exceeded');
  });

  test('with the status, where the provider tells nothing', () => {
    const { connection, only } = watch();
    const { write, read } = connection(1n);
    write(chatRequest());
    read('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(only().error, { type: '502', message: 'Bad Gateway' });
  });

  test('with an error in the middle of its stream', () => {
    const { connection, only, answer } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'half' }) + eventChunk({ error: 'overloaded' }));
    close();
    assert.equal(only().error?.type, 'overloaded');
    assert.equal(answer(only()), 'half');
  });

  test('because the agent was killed in the middle of the stream', () => {
    const { connection, only, answer, event, seen, now } = watch();
    const { write, read } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'half' }));
    event({ kind: 'process_exit', exit_code: 0, signal: 9 });
    assert.deepEqual(only().error, { type: 'cut', message: 'the process ended' });
    assert.equal(only().end_ns, now());
    assert.equal(answer(only()), 'half');
    assert.deepEqual(
      seen.map(({ kind }) => kind),
      ['llm_call', 'llm_call', 'process_exit'],
    );
  });

  test('because its TLS connection was closed in the middle of the response', () => {
    const { connection, only } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }).subarray(0, -3));
    close();
    assert.equal(only().error?.type, 'cut');
  });

  for (const [target, whole] of WHOLE_ANSWERS) {
    test(`because the answer of ${target} was cut in the middle, which does not make it malformed`, () => {
      const { connection, only } = watch({}, providers);
      const { write, read, close } = connection(1n);
      write(chatRequest({ messages: [] }, ['User-Agent: ollama-python/0.5'], target));
      read(jsonResponse(whole).subarray(0, -3));
      close();
      assert.equal(only().error?.type, 'cut');
      assert.deepEqual(only().gaps, [{ reason: 'cut', bytes: 0, detail: 'response' }]);
    });
  }

  test('because its socket was closed in the middle of the response, and nothing came after', () => {
    const { connection, only, event, stage, now } = watch();
    const { write, read } = connection(1n, { socket_id: 5n });
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }).subarray(0, -3));
    event({ kind: 'net_io', socket_id: 5n, closed: true });
    const closed_ns = now();
    stage.tick?.(closed_ns + 1_000_000_000n);
    assert.equal(only().error?.type, 'cut');
    assert.equal(only().end_ns, closed_ns);
  });

  test('because a stream that lasts until the connection ends was left before its provider ended it', () => {
    const { connection, only } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest({ stream: true }));
    read(UNTIL_CLOSE + EVENT);
    close();
    assert.equal(only().error?.type, 'cut');
  });

  test('because no response came', () => {
    const { connection, only, event } = watch();
    connection(1n).write(chatRequest());
    event({ kind: 'process_exit', exit_code: 1, signal: 0 });
    assert.deepEqual(only().error, { type: 'no_response', message: 'the process ended' });
    assert.equal(only().response, undefined);
    assert.deepEqual(only().gaps, []);
  });

  test('because it was killed while it wrote its request', () => {
    const { connection, calls, event } = watch();
    connection(1n).write(chatRequest({ prompt: 'long' }).subarray(0, -9));
    event({ kind: 'process_exit', exit_code: 0, signal: 9 });
    assert.deepEqual(
      calls().map(({ phase, error }) => [phase, error?.type]),
      [
        ['request', undefined],
        ['end', 'no_response'],
      ],
    );
    assert.ok(calls()[1]?.gaps.some(({ reason, detail }) => reason === 'cut' && detail === 'request'));
  });

  test('because we stopped watching', async () => {
    const { connection, only, stage } = watch();
    const { write, read } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'half' }));
    await stage.close?.();
    assert.deepEqual(only().error, { type: 'cut', message: 'watching ended' });
  });
});

describe('a call does not fail', () => {
  test('because its response lasts until the connection is closed', () => {
    const { connection, only, answer } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest());
    read('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"text":');
    read('"hello"}');
    close();
    assert.equal(only().error, undefined);
    assert.equal(answer(only()), 'hello');
    assert.equal(only().end_ns, 1030n);
  });

  test('because a socket was closed that turns out not to be its own', () => {
    const { connection, only, event, stage, now } = watch();
    const { write, read } = connection(1n, { socket_id: 5n });
    const response = jsonResponse({ text: 'hello' });
    write(chatRequest());
    read(response.subarray(0, -3));
    event({ kind: 'net_io', socket_id: 5n, closed: true });
    read(response.subarray(-3));
    stage.tick?.(now() + 1_000_000_000n);
    assert.equal(only().error, undefined);
  });

  test('because such a stream was told complete before', () => {
    const { connection, only } = watch();
    const { write, read, close } = connection(1n);
    write(chatRequest({ stream: true }));
    read(`${UNTIL_CLOSE}${EVENT}data: [DONE]\n\n`);
    close();
    assert.equal(only().error, undefined);
  });
});

describe('a connection object is used again', () => {
  test('after it was freed: the old call is cut, the new one is whole', () => {
    const { connection, ended, answer } = watch();
    const before = connection(1n);
    before.write(chatRequest());
    before.close();
    const after = connection(1n);
    after.write(chatRequest());
    after.read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(
      ended().map((call) => [call.call_id, call.error?.type, answer(call)]),
      [
        ['7:70/1/1', 'no_response', undefined],
        ['7:70/1/2', undefined, 'hello'],
      ],
    );
  });

  test('unseen, after its socket was closed: the new response is not the old request’s', () => {
    const { connection, ended, answer, event } = watch();
    const { write, read } = connection(1n, { socket_id: 5n });
    write(chatRequest({ prompt: 'old' }));
    event({ kind: 'net_io', socket_id: 5n, closed: true });
    write(chatRequest({ prompt: 'new' }));
    read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(
      ended().map((call) => [call.error?.type, answer(call)]),
      [
        ['no_response', undefined],
        [undefined, 'hello'],
      ],
    );
  });

  test('unseen, with another socket: the new response is not the old request’s', () => {
    const { connection, ended, answer } = watch();
    connection(1n, { socket_id: 5n }).write(chatRequest({ prompt: 'old' }));
    const after = connection(1n, { socket_id: 6n });
    after.write(chatRequest({ prompt: 'new' }));
    after.read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(
      ended().map((call) => [call.error?.type, answer(call)]),
      [
        ['no_response', undefined],
        [undefined, 'hello'],
      ],
    );
  });

  test('unseen, in the middle of a response: the new response ends the old one', () => {
    const { connection, ended, answer } = watch();
    const before = connection(1n);
    before.write(chatRequest({ stream: true }));
    before.read(STREAM_HEAD + eventChunk({ text: 'half' }));
    const after = connection(1n);
    after.write(chatRequest());
    after.read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(
      ended().map((call) => [call.error?.type, answer(call)]),
      [
        ['cut', 'half'],
        [undefined, 'hello'],
      ],
    );
  });
});
