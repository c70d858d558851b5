import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { webSocketApis } from '../../src/providers/websocket-apis.ts';
import { closeFrame, createDeflater, frame, TEXT } from '../protocol/websocket-bytes.ts';
import { chatRequest, jsonResponse, watch } from './watched.ts';
import { answer, ask, open, SWITCHED, UPGRADE } from './websocket-scene.ts';

describe('what fails', () => {
  test('an error event is the error of the call', () => {
    const { say, hear, only } = open();
    say(ask());
    hear({
      type: 'error',
      status: 400,
      error: { type: 'invalid_request_error', code: 'previous_response_not_found', message: 'gone' },
    });
    assert.deepEqual(only().error, { type: 'invalid_request_error', message: 'gone' });
  });

  test('the server closes in the middle: the call is cut, and keeps what came', () => {
    const { say, hear, read, only, answer: text } = open();
    say(ask());
    for (const event of answer('resp_1', 'hello').slice(0, 3)) hear(event);
    read(closeFrame(1011, 'internal error'));
    assert.deepEqual(only().error, { type: 'cut', message: 'the server closed the WebSocket (1011 internal error)' });
    assert.deepEqual(only().gaps, [{ reason: 'cut', bytes: 0, detail: 'response' }]);
    assert.equal(text(only()), 'he');
  });

  test('the connection ends without a goodbye', () => {
    const { say, close, only } = open();
    say(ask());
    close();
    assert.deepEqual(only().error, { type: 'no_response', message: 'the TLS connection was closed' });
  });

  test('a refused upgrade is no call, and the requests that follow it are', () => {
    const watched = watch({}, undefined, webSocketApis);
    const { write, read } = watched.connection(1n);
    write(UPGRADE);
    read('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }));
    assert.equal(watched.answer(watched.only()), 'hello');
  });

  test('a connection object that is used again is another connection', () => {
    const { say, hear, write, read, ended } = open();
    say(ask());
    for (const event of answer('resp_1', 'hello')) hear(event);
    say(ask());
    write(UPGRADE);
    read(`${SWITCHED}\r\n`);
    say(ask());
    for (const event of answer('resp_3', 'again')) hear(event);
    assert.deepEqual(
      ended().map(({ error, response }) => [response?.id, error?.type]),
      [
        ['resp_1', undefined],
        [undefined, 'no_response'],
        ['resp_3', undefined],
      ],
    );
  });
});

describe('what is lost', () => {
  test('an event: the call says so, and its end has the whole text', () => {
    const { say, hear, read, miss, only, answer: text, stage, now } = open();
    const events = answer('resp_1', 'hello');
    say(ask());
    for (const event of events.slice(0, 2)) hear(event);
    miss('read', frame(TEXT, JSON.stringify(events[2])).length);
    for (const event of events.slice(3)) read(frame(TEXT, JSON.stringify(event)));
    stage.tick?.(now() + 1_000_000_000n);
    assert.equal(text(only()), 'hello');
    assert.deepEqual(only().gaps, [
      { reason: 'lost_bytes', bytes: frame(TEXT, JSON.stringify(events[2])).length, detail: 'response' },
    ]);
    assert.equal(only().error, undefined);
  });

  test('the last event: the call ends with the next request, and is no failure', () => {
    const { say, hear, miss, ended, stage, now } = open();
    const events = answer('resp_1', 'hello');
    say(ask());
    for (const event of events.slice(0, 5)) hear(event);
    miss('read', 100);
    say(ask());
    for (const event of answer('resp_2', 'next')) hear(event);
    stage.tick?.(now() + 1_000_000_000n);
    assert.deepEqual(
      ended().map(({ response, error, gaps }) => [response?.id, error, gaps.map(({ reason }) => reason)]),
      [
        ['resp_1', undefined, ['lost_bytes']],
        ['resp_2', undefined, []],
      ],
    );
  });

  test('more than is kept of one response: the call says so, and the next one is read', () => {
    const { say, hear, ended } = open('', UPGRADE, { max_body_bytes: 2000 });
    say(ask());
    hear(answer('resp_1', 'x')[0]);
    for (let count = 0; count < 50; count++) {
      hear({ type: 'response.output_text.delta', output_index: 0, delta: 'y'.repeat(100) });
    }
    for (const event of answer('resp_1', 'x').slice(4)) hear(event);
    say(ask());
    for (const event of answer('resp_2', 'next')) hear(event);
    assert.deepEqual(
      ended().map(({ response, error, gaps }) => [response?.id, error, gaps.map(({ reason }) => reason)]),
      [
        ['resp_1', undefined, ['too_large']],
        ['resp_2', undefined, []],
      ],
    );
  });

  test('the request: its response is a call all the same', () => {
    const { miss, hear, say, only, answer: text } = open();
    miss('write', 300);
    say({ type: 'unknown' });
    for (const event of answer('resp_1', 'hello')) hear(event);
    assert.equal(text(only()), 'hello');
    assert.deepEqual(only().gaps, [{ reason: 'lost_bytes', bytes: 300, detail: 'request' }]);
    assert.deepEqual(only().request.messages, []);
  });

  test('with context takeover, an event makes the rest unreadable: nothing is made up', async () => {
    const { say, read, miss, close, only, stage, now } = open('permessage-deflate');
    const deflate = createDeflater(true);
    const frames: Buffer[] = [];
    for (const event of answer('resp_1', 'hello'))
      frames.push(frame(TEXT, await deflate(JSON.stringify(event)), { rsv1: true }));
    say(ask());
    for (const bytes of frames.slice(0, 2)) read(bytes);
    miss('read', frames[2]?.length ?? 0);
    for (const bytes of frames.slice(3)) read(bytes);
    stage.tick?.(now() + 1_000_000_000n);
    close();
    const { response, gaps, error } = only();
    assert.deepEqual(response?.messages, []);
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      ['lost_bytes', 'decompression'],
    );
    assert.equal(error, undefined);
  });
});
