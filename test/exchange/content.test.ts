import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { anthropicMessages } from '../../src/providers/anthropic.ts';
import { cutAt } from '../protocol/cuts.ts';
import { chatRequest, eventChunk, jsonResponse, LAST_CHUNK, STREAM_HEAD, watch } from './watched.ts';

const MEGABYTE = 2 ** 20;
const RECORD_BYTES = 16 * 1024;

const COMPRESS = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
};

function message(start: string, headers: readonly string[], body: Uint8Array): Buffer {
  const head = [start, ...headers, `Content-Length: ${body.length}`].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]);
}

function everyRecord(bytes: Uint8Array): readonly Uint8Array[] {
  return cutAt(
    bytes,
    Array.from({ length: Math.floor(bytes.length / RECORD_BYTES) }, (_, index) => (index + 1) * RECORD_BYTES),
  );
}

test('a compressed stream ends with the event that says so, though its connection stays silent after that', () => {
  for (const text_count of [3, 3000]) {
    const watched = watch();
    const { write, read, close } = watched.connection(1n);
    const gzip = (text: string) => zlib.gzipSync(Buffer.from(text));
    const texts = Array.from({ length: text_count }, (_, index) => `data: {"text":"${index} ${'x'.repeat(200)}"}\n\n`);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n'));
    for (const text of [...texts, 'data: [DONE]\n\n']) {
      const member = gzip(text);
      read(Buffer.concat([Buffer.from(`${member.length.toString(16)}\r\n`), member, Buffer.from('\r\n')]));
    }
    const end_ns = watched.now();
    for (const wait_ns of [1n, 2n]) watched.stage.tick?.(end_ns + wait_ns);
    assert.equal(watched.only().end_ns, end_ns);
    read(LAST_CHUNK);
    close();
    assert.equal(watched.only().error, undefined);
  }
});

/** Chunks of a gzip stream: each event is a member of its own. */
const packed = (event: object): Buffer => {
  const member = zlib.gzipSync(`data: ${JSON.stringify(event)}\n\n`);
  return Buffer.concat([Buffer.from(`${member.length.toString(16)}\r\n`), member, Buffer.from('\r\n')]);
};
const PACKED_HEAD = STREAM_HEAD.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n');

test('what a compressed stream says has the time at which its bytes came', () => {
  const { connection, now, only } = watch({}, [anthropicMessages]);
  const { write, read } = connection(1n);
  write(chatRequest({ messages: [{ role: 'user', content: 'go' }] }, [], '/v1/messages'));
  read(PACKED_HEAD);
  read(packed({ type: 'message_start', message: { role: 'assistant', content: [] } }));
  const first_ns = now();
  const tool = { type: 'tool_use', id: 't1', name: 'shell', input: {} };
  read(packed({ type: 'content_block_start', index: 0, content_block: tool }));
  read(packed({ type: 'content_block_stop', index: 0 }));
  const complete_ns = now();
  for (let index = 1; index < 20; index++) read(packed({ type: 'ping' }));
  read(packed({ type: 'message_stop' }));
  assert.equal(only().response_first_chunk_ns, first_ns);
  assert.equal(only().response?.tool_calls[0]?.complete_ns, complete_ns);
});

test('a compressed stream that misses bytes says so, and is read up to there', () => {
  const { connection, only, answer } = watch();
  const { write, read, close, miss } = connection(1n);
  write(chatRequest({ stream: true }));
  read(PACKED_HEAD);
  read(packed({ text: 'before' }));
  miss('read', packed({ text: 'lost' }).length);
  for (let count = 0; count < 3; count++) read(packed({ text: 'after' }));
  close();
  assert.equal(answer(only()), 'before');
  assert.deepEqual(
    only().gaps.flatMap(({ reason }) => (reason === 'cut' ? [] : [reason])),
    ['lost_bytes', 'decompression'],
  );
});

for (const [coding, compress] of Object.entries(COMPRESS)) {
  describe(`bodies in ${coding}`, () => {
    test('are read, of requests and responses', () => {
      const { connection, only, answer } = watch();
      const { write, read } = connection(1n);
      const json = (body: unknown) => compress(Buffer.from(JSON.stringify(body)));
      write(message('POST /v1/chat HTTP/1.1', [`Content-Encoding: ${coding}`], json({ model: 'packed' })));
      read(message('HTTP/1.1 200 OK', [`content-encoding: ${coding}`], json({ text: 'hello' })));
      assert.equal(only().request.model, 'packed');
      assert.equal(answer(only()), 'hello');
      assert.deepEqual(only().gaps, []);
    });

    test('are read as streams, also byte by byte and when cut off', () => {
      const texts = Array.from({ length: 300 }, (_, index) => `${(index * 2654435761) % 1000003} `);
      const events = texts.map((text) => `data: ${JSON.stringify({ text })}\n\n`).join('');
      const packed = compress(Buffer.from(`${events}data: [DONE]\n\n`));
      const head = `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: ${coding}\r\n\r\n`;
      const whole = watch();
      const stream = whole.connection(1n);
      stream.write(chatRequest({ stream: true }));
      stream.read(head);
      for (const byte of cutAt(packed, [...packed.keys()])) stream.read(byte);
      stream.close();
      assert.equal(whole.answer(whole.only()), texts.join(''));
      assert.equal(whole.only().error, undefined);

      const cut = watch();
      const half = cut.connection(1n);
      half.write(chatRequest({ stream: true }));
      half.read(head);
      half.read(packed.subarray(0, packed.length - 20));
      half.close();
      assert.equal(cut.only().error?.type, 'cut');
      assert.ok(texts.join('').startsWith(cut.answer(cut.only()) ?? '?'));
    });
  });
}

test('a compressed stream is told piece by piece while it comes', () => {
  const { connection, seen } = watch({}, [
    {
      name: 'watching',
      matches: () => true,
      parseRequest: () => ({ provider: 'watching', request: { stream: true } as never, malformed: undefined }),
      createResponseReader: () => ({
        pushEvent: ({ data }, ktime_ns) => void seen.push({ data, ktime_ns } as never),
        pushBody() {},
        complete: false,
        result: () => ({ response: {} as never, error: undefined, malformed: undefined }),
      }),
    },
  ]);
  const { write, read } = connection(1n);
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: zstd\r\n\r\n';
  write(chatRequest());
  read(head);
  read(zlib.zstdCompressSync(Buffer.from(`data: ${'a'.repeat(9)}\n\n`)));
  assert.deepEqual(seen.slice(1), [{ data: 'aaaaaaaaa', ktime_ns: 1030n } as never]);
});

test('a stream that does not say what it is, is recognised', () => {
  const { connection, only, answer } = watch();
  const { write, read } = connection(1n);
  const bytes = Buffer.from(
    STREAM_HEAD.replace(/Content-Type.*\r\n/, '') + eventChunk({ text: 'a' }) + eventChunk('[DONE]'),
  );
  write(chatRequest({ stream: true }));
  for (const byte of cutAt(bytes, [...bytes.keys()])) read(byte);
  assert.equal(answer(only()), 'a');
});

test('a prompt and an answer of 5 MB lose no byte', () => {
  const prompt = 'p'.repeat(5 * MEGABYTE);
  const text = 'a'.repeat(5 * MEGABYTE);
  const { connection, ended, answer } = watch();
  const { write, read } = connection(1n);
  for (const piece of everyRecord(chatRequest({ prompt }))) write(piece);
  for (const piece of everyRecord(jsonResponse({ text }))) read(piece);
  for (const piece of everyRecord(chatRequest({ prompt, stream: true }))) write(piece);
  const parts = Array.from({ length: 80 }, () => eventChunk({ text: 'a'.repeat(MEGABYTE / 16) }));
  for (const piece of everyRecord(Buffer.from(STREAM_HEAD + parts.join('') + eventChunk('[DONE]') + LAST_CHUNK))) {
    read(piece);
  }
  assert.equal(ended().length, 2);
  for (const call of ended()) {
    assert.deepEqual(call.request.messages[0]?.parts, [{ type: 'text', content: prompt }]);
    assert.equal(answer(call), text);
    assert.deepEqual(call.gaps, []);
  }
});

describe('bodies that are too large', () => {
  const reasons = (watched: ReturnType<typeof watch>) =>
    watched.only().gaps.map(({ reason, detail }) => `${reason} ${detail.split(':')[0]}`);

  test('are not read, and marked', () => {
    const watched = watch({ max_body_bytes: 1000 });
    const { write, read } = watched.connection(1n);
    write(chatRequest({ prompt: 'p'.repeat(2000) }));
    read(jsonResponse({ text: 'a'.repeat(2000) }));
    assert.deepEqual(reasons(watched), ['too_large request', 'malformed request', 'too_large response']);
    assert.equal(watched.only().request_bytes, 2025);
  });

  test('only when unpacked, likewise', () => {
    const watched = watch({ max_body_bytes: 1000 });
    const { write, read } = watched.connection(1n);
    write(chatRequest());
    const bomb = zlib.gzipSync(Buffer.from(JSON.stringify({ text: 'a'.repeat(100_000) })));
    read(message('HTTP/1.1 200 OK', ['Content-Encoding: gzip'], bomb));
    assert.deepEqual(reasons(watched), ['too_large response']);
  });

  test('as a stream: what came before is kept', () => {
    const watched = watch({ max_body_bytes: 1000 });
    const { write, read, close } = watched.connection(1n);
    write(chatRequest({ stream: true }));
    read(STREAM_HEAD + eventChunk({ text: 'a' }));
    for (let count = 0; count < 30; count++) read(eventChunk({ text: 'b'.repeat(100) }));
    close();
    assert.ok(reasons(watched).includes('too_large response'));
    assert.match(watched.answer(watched.only()) ?? '', /^ab+$/);
  });

  test('together: one connection may be refused, and room comes back', () => {
    const watched = watch({ max_buffered_bytes: 3000 });
    const first = watched.connection(1n);
    const second = watched.connection(2n);
    const request = chatRequest({ prompt: 'p'.repeat(2000) });
    first.write(request.subarray(0, -1));
    second.write(request);
    first.write(request.subarray(-1));
    const third = watched.connection(3n);
    third.write(request);
    const marked = watched.calls().map(({ gaps }) => gaps.some(({ reason }) => reason === 'too_large'));
    assert.deepEqual(marked, [true, false, false]);
  });
});
