import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LlmCall } from '../../src/model/llm-call.ts';
import { chatRequest, eventChunk, jsonResponse, LAST_CHUNK, STREAM_HEAD, watch } from './watched.ts';

const gapsOf = (call: LlmCall) => call.gaps.map(({ reason, bytes, detail }) => `${reason} ${bytes} ${detail}`);

describe('bytes are lost', () => {
  test('in a response: the call is whole but for them, and marked', () => {
    const { connection, only, answer } = watch();
    const { write, read, miss } = connection(1n);
    const lost = eventChunk({ text: 'b' });
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'a' }));
    miss('read', lost.length);
    read(eventChunk({ text: 'c' }) + eventChunk({ text: 'd' }));
    read(eventChunk('[DONE]') + LAST_CHUNK);
    write(chatRequest());
    assert.equal(only().error, undefined);
    assert.equal(answer(only()), 'ad');
    assert.deepEqual(gapsOf(only()), [`lost_bytes ${lost.length} response`]);
  });

  test('in a request: it is told, with what could be read of it', () => {
    const { connection, only } = watch();
    const { write, read } = connection(1n);
    const request = chatRequest({ prompt: 'x'.repeat(100) });
    write(request.subarray(0, -60), 40);
    write(request.subarray(-20));
    read(jsonResponse({ text: 'hello' }));
    assert.deepEqual(gapsOf(only()), ['lost_bytes 40 request']);
    assert.equal(only().request_bytes, 125 - 40);
  });

  test('with the head of the response: no error is made up', () => {
    const { connection, ended, answer } = watch();
    const { write, read, miss } = connection(1n);
    write(chatRequest());
    miss('read', 100);
    read('the rest of it');
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }));
    const [first, second] = ended();
    assert.deepEqual([first?.error, first?.response, first?.http_status], [undefined, undefined, undefined]);
    assert.deepEqual(gapsOf(first as LlmCall), ['lost_bytes 100 response']);
    assert.equal(answer(second as LlmCall), 'hello');
  });

  test('with the end of a stream, after which the agent is killed: the call ended somehow, and is marked', () => {
    const { connection, only, event } = watch();
    const { write, read, miss } = connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'a' }));
    miss('read', 1000);
    read('tail');
    event({ kind: 'process_exit', exit_code: 0, signal: 9 });
    assert.equal(only().error, undefined);
    assert.deepEqual(gapsOf(only()), ['lost_bytes 1004 response']);
  });

  test('and a tick ends the waiting for them', () => {
    const { connection, ended, stage, now } = watch();
    const { write, read, miss } = connection(1n);
    const response = jsonResponse({ text: 'hello' });
    write(chatRequest());
    read(response.subarray(0, -8));
    miss('read', 4);
    read(response.subarray(-4));
    assert.equal(ended().length, 0);
    stage.tick?.(now() + 1_000_000_000n);
    assert.equal(ended().length, 1);
    assert.ok(gapsOf(ended()[0] as LlmCall).includes('lost_bytes 4 response'));
  });
});

test('pieces that come in the wrong order are put right', () => {
  const { stage, seen, only, answer } = watch();
  const push = (direction: 'write' | 'read', offset: number, data: Uint8Array) =>
    stage.push({
      kind: 'tls_data',
      ktime_ns: 50n,
      call_start_ns: 45n,
      process: '7:70',
      pid: 7,
      tid: 8,
      connection: 1n,
      socket_id: 0n,
      direction,
      offset: BigInt(offset),
      data,
      lost_bytes: 0,
    });
  const request = chatRequest({ prompt: 'hello' });
  push('write', 40, request.subarray(40));
  push('write', 0, request.subarray(0, 40));
  push('write', 0, request.subarray(0, 40));
  push('read', 0, jsonResponse({ text: 'in order' }));
  assert.equal(seen.length, 2);
  assert.equal(answer(only()), 'in order');
});

test('a connection joined in the middle of a response is read from the next request on', () => {
  const { connection, only, answer, counters } = watch();
  const { write, read } = connection(1n);
  read('"text": "of a call whose request was never seen"}');
  write(chatRequest());
  read(jsonResponse({ text: 'hello' }));
  assert.equal(answer(only()), 'hello');
  assert.deepEqual(only().gaps, []);
  assert.equal(counters.get('exchange.joined_midstream'), 1);
});

test('a body that its provider cannot read is marked', () => {
  const { connection, only } = watch();
  const { write, read } = connection(1n);
  write('POST /v1/chat HTTP/1.1\r\nContent-Length: 3\r\n\r\n{"m');
  read('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{"t');
  assert.deepEqual(gapsOf(only()), ['malformed 0 request: no JSON', 'malformed 0 response: no JSON']);
});

test('a response that is none is marked', () => {
  const { connection, only } = watch();
  const { write, read, close } = connection(1n);
  write(chatRequest());
  read('SSH-2.0-OpenSSH\r\n');
  close();
  assert.deepEqual(gapsOf(only()), ['malformed 0 response head', 'cut 0 response']);
});

test('a provider that throws takes nothing down', () => {
  const fail = (): never => {
    throw new RangeError('too deep');
  };
  for (const broken of ['parseRequest', 'createResponseReader'] as const) {
    const provider = { name: 'broken', matches: () => true, parseRequest: fail, createResponseReader: fail };
    const { connection, only, counters } = watch({}, [provider]);
    const { write, read } = connection(1n);
    write(chatRequest());
    read(jsonResponse({ text: 'hello' }));
    assert.ok(
      only().gaps.every(({ reason }) => reason === 'malformed'),
      broken,
    );
    assert.ok(counters.get('exchange.provider_failed') > 0);
  }
});
