import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { cutAt } from '../protocol/cuts.ts';
import { data, END_HEADERS, END_STREAM, frame, headers } from '../protocol/http2-bytes.ts';
import { chatRequest, eventChunk, jsonResponse, LAST_CHUNK, STREAM_HEAD, watch } from './watched.ts';

const sse = (event: string, data: unknown) => {
  const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
};
const START = sse('message_start', {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 7 },
  },
});
const BLOCK = sse('content_block_start', {
  type: 'content_block_start',
  index: 0,
  content_block: { type: 'text', text: '' },
});
const text = (value: string) =>
  sse('content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: value } });
const END = [
  sse('content_block_stop', { type: 'content_block_stop', index: 0 }),
  sse('message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }),
  sse('message_stop', { type: 'message_stop' }),
].join('');
const MARKS = ['joined_midstream request head', 'joined_midstream response head'];

describe('a response whose request was not seen', () => {
  test('is a call of what it says, marked, from the first byte seen, and the next one is whole', () => {
    const { connection, ended, answer, event, now } = watch();
    event({
      kind: 'net_open',
      socket_id: 5n,
      operation: 'connect',
      peer: { family: 'ipv4', address: '192.0.2.1', port: 443 },
    });
    const { read, write } = connection(1n, { socket_id: 5n });
    const first_ns = now() + 10n;
    for (const piece of [STREAM_HEAD, START, BLOCK, text('Hel'), text('lo'), END, LAST_CHUNK]) read(piece);
    write(chatRequest());
    read(jsonResponse({ text: 'next' }));
    const [call, next] = ended();
    assert.ok(call && next);
    assert.equal(answer(call), 'Hello');
    assert.equal(call.provider, 'anthropic');
    assert.equal(call.request.model, undefined);
    assert.deepEqual(call.request.messages, []);
    assert.equal(call.response?.model, 'claude-x');
    assert.equal(call.response?.usage.output_tokens, 3);
    assert.equal(call.http_status, 200);
    assert.ok(call.request_start_ns >= first_ns && call.request_start_ns <= first_ns + 10n);
    assert.equal(call.response_first_chunk_ns, undefined, 'how long it took is not known');
    assert.deepEqual([call.server_address, call.server_port], ['192.0.2.1', 443]);
    assert.equal(call.error, undefined);
    assert.deepEqual(
      call.gaps.map(({ reason, detail }) => `${reason} ${detail}`),
      MARKS.slice(0, 1),
    );
    assert.equal(answer(next), 'next');
    assert.deepEqual(next.gaps, []);
  });

  test('and whose beginning neither: the rest of its text is there', () => {
    const { connection, ended, answer } = watch();
    const { read, write } = connection(1n);
    for (const piece of [text('rest'), END, LAST_CHUNK]) read(piece);
    write(chatRequest());
    read(jsonResponse({ text: 'next' }));
    const [call, next] = ended();
    assert.ok(call && next);
    assert.equal(answer(call), 'rest');
    assert.equal(call.http_status, undefined);
    assert.deepEqual(
      call.gaps.map(({ reason, detail }) => `${reason} ${detail}`),
      MARKS,
    );
    assert.equal(call.error, undefined);
    assert.equal(answer(next), 'next');
  });

  test('and whose first bytes seen are anywhere in an event, or in the framing', () => {
    const whole = text('one') + text('two') + END + LAST_CHUNK;
    for (let from = 1; from < text('one').length - 1; from++) {
      const { connection, ended, answer } = watch();
      const { read, write } = connection(1n);
      read(whole.slice(from));
      write(chatRequest());
      read(jsonResponse({ text: 'next' }));
      const calls = ended();
      const next = calls.at(-1);
      assert.ok(next !== undefined && calls.length <= 2);
      assert.equal(answer(next), 'next');
      if (calls.length === 2 && calls[0]) assert.match(answer(calls[0]) ?? '', /^(?:one)?two$/, String(from));
      else assert.fail(`nothing from ${from}`);
    }
  });

  test('joined anywhere, in pieces of any size: no word is broken, what is missing is marked, the next call is whole', () => {
    const words = [...'abcdefghij'].map((letter) => letter.repeat(5));
    const whole = Buffer.from([STREAM_HEAD, START, ...words.map(text), END, LAST_CHUNK].join(''));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.array(fc.nat(whole.length)), (from, cuts) => {
        const { connection, ended, answer } = watch();
        const { read, write } = connection(1n);
        for (const piece of cutAt(
          whole.subarray(from),
          cuts.map((cut) => cut % (whole.length - from)),
        ))
          read(piece);
        write(chatRequest());
        read(jsonResponse({ text: 'next' }));
        const calls = ended();
        assert.equal(answer(calls.at(-1) as (typeof calls)[number]), 'next');
        const [joined] = calls.length > 1 ? calls : [];
        const said = (joined && answer(joined)) ?? '';
        const is_lossy = joined?.gaps.some(({ reason }) => reason === 'lost_bytes') === true;
        assert.ok(is_lossy || words.join('').endsWith(said), said);
        assert.match(said, /^(?:([a-j])\1{4})*$/);
      }),
    );
  });

  for (const [name, body, provider] of [
    [
      'OpenAI',
      {
        object: 'chat.completion',
        id: 'c',
        model: 'g',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' } }],
      },
      'openai',
    ],
    ['Anthropic', { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }, 'anthropic'],
    [
      'OpenAI Responses',
      {
        object: 'response',
        status: 'completed',
        output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] }],
      },
      'openai',
    ],
    [
      'Gemini',
      { candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] } }], usageMetadata: {} },
      'gcp.gemini',
    ],
    ['Ollama', { model: 'l', created_at: 'now', done: true, message: { role: 'assistant', content: 'Hi' } }, 'ollama'],
    [
      'Bedrock',
      { output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } }, usage: { inputTokens: 1 } },
      'aws.bedrock',
    ],
  ] as const) {
    test(`${name} is known by its body`, () => {
      const { connection, only, answer } = watch();
      connection(1n).read(jsonResponse(body));
      assert.equal(answer(only()), 'Hi');
      assert.equal(only().provider, provider);
    });
  }

  test('that is no answer of a model leaves nothing, and what is kept to find out is given back', () => {
    const { connection, calls, counters } = watch({ max_buffered_bytes: 8192 });
    const { read } = connection(1n);
    for (let count = 0; count < 30; count++) read(jsonResponse({ text: 'of something else'.repeat(50) }));
    read('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi');
    read(STREAM_HEAD + eventChunk({ type: 'tick' }) + LAST_CHUNK);
    assert.deepEqual(calls(), []);
    assert.equal(counters.get('exchange.orphan_response'), 32);
    read(jsonResponse({ type: 'message', role: 'assistant', content: [{ type: 'text', text: 'x'.repeat(1500) }] }));
    assert.equal(calls().length, 2);
  });

  test('that is compressed is read, and where it is joined in its middle leaves no garbage', () => {
    const { connection, calls, only, answer } = watch();
    const body = { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'packed' }] };
    const packed = gzipSync(JSON.stringify(body));
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
    connection(1n).read(Buffer.concat([Buffer.from(head), packed]));
    assert.equal(answer(only()), 'packed');
    const joined = connection(2n);
    joined.read(packed.subarray(11));
    joined.close();
    assert.equal(calls().filter(({ phase }) => phase === 'end').length, 1);
  });

  test('that breaks off with its connection ends in an error, as any other', () => {
    const { connection, only, answer } = watch();
    const { read, close } = connection(1n);
    read(STREAM_HEAD + START + BLOCK + text('half'));
    close();
    assert.equal(answer(only()), 'half');
    assert.equal(only().error?.type, 'cut');
  });
});

describe('over HTTP/2, joined in the middle', () => {
  const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
  const delta = (content: string) =>
    event({ object: 'chat.completion.chunk', id: 'c1', model: 'gpt-x', choices: [{ index: 0, delta: { content } }] });
  const begin = () => {
    const watched = watch();
    const connection = watched.connection(1n, { socket_id: 5n });
    const text = () => watched.answer(watched.only());
    return { ...watched, ...connection, text };
  };

  test('a response whose request was before', () => {
    const { read, only, text } = begin();
    read(headers(41, { ':status': '200', 'content-type': 'text/event-stream' }));
    read(data(41, delta('Hel')));
    read(data(41, delta('lo')));
    read(data(41, 'data: [DONE]\n\n', END_STREAM));
    assert.equal(text(), 'Hello');
    assert.equal(only().provider, 'openai');
    assert.equal(only().http_status, 200);
  });

  test('a response whose head was before, too: the rest of it, beside others', () => {
    const { read, only, text } = begin();
    read(data(43, 'half a line"}}\n\n'));
    read(data(41, delta('rest')));
    read(data(45, '{"not":"a model"}', END_STREAM));
    read(data(41, 'data: [DONE]\n\n', END_STREAM));
    assert.equal(text(), 'rest');
    assert.equal(only().http_status, undefined);
    assert.equal(only().error, undefined);
  });

  test('a request whose head refers to what was before is read by its body, as its answer shows whose it is', () => {
    const { write, read, only, text } = begin();
    const asked = { model: 'gpt-5', messages: [{ role: 'user', content: 'Say hello' }] };
    write(
      Buffer.concat([
        frame(1, END_HEADERS, 41, Buffer.from([0x83, 0xbe])),
        data(41, JSON.stringify(asked), END_STREAM),
      ]),
    );
    read(headers(41, { ':status': '200', 'content-type': 'text/event-stream' }));
    read(data(41, delta('hello')));
    read(data(41, 'data: [DONE]\n\n', END_STREAM));
    assert.equal(text(), 'hello');
    assert.equal(only().request.model, 'gpt-5');
    assert.deepEqual(only().request.messages[0]?.parts, [{ type: 'text', content: 'Say hello' }]);
    assert.notEqual(only().response_first_chunk_ns, undefined);
  });
});
