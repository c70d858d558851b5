import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { providers } from '../../src/providers/providers.ts';
import { jsonResponse, watch } from './watched.ts';

const MESSAGES = [{ role: 'user', content: 'hi' }];
const ANSWER = { choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }] };

function post(target: string, body: unknown, headers: readonly string[] = [], encode = (json: Buffer) => json): Buffer {
  const bytes = encode(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  const lines = ['Host: gateway.example', 'Content-Type: application/json', `Content-Length: ${bytes.length}`];
  const head = [`POST ${target} HTTP/1.1`, ...lines, ...headers].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]);
}

/** What comes of one exchange; the request in pieces of `piece_bytes`. */
function exchange(request: Buffer, answer: unknown = ANSWER, piece_bytes = 16_384, options = {}) {
  const watched = watch(options, providers);
  const { write, read } = watched.connection(1n);
  for (let at = 0; at < request.length; at += piece_bytes) write(request.subarray(at, at + piece_bytes));
  read(jsonResponse(answer));
  return watched;
}

describe('a request to a model', () => {
  test('on a path that nobody knows is a call, announced once and ended once', () => {
    const { calls, only, answer } = exchange(post('/my/own/llm', { model: 'm', messages: MESSAGES }));
    assert.deepEqual(
      calls().map(({ phase }) => phase),
      ['request', 'end'],
    );
    assert.equal(only().provider, '_OTHER');
    assert.equal(only().request.model, 'm');
    assert.deepEqual(only().request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
    assert.equal(answer(only()), 'hello');
    assert.deepEqual(only().gaps, []);
    assert.equal(only().request_start_ns, calls()[0]?.request_start_ns);
  });

  test('is one whatever its size, its pieces and its coding', () => {
    const long = { system: 'x'.repeat(300_000), messages: MESSAGES, max_tokens: 9, model: 'm' };
    for (const encode of [undefined, zlib.gzipSync, zlib.zstdCompressSync] as const) {
      const headers = encode === undefined ? [] : [`Content-Encoding: ${encode === zlib.gzipSync ? 'gzip' : 'zstd'}`];
      for (const piece_bytes of [1000, 1 << 20]) {
        const { only } = exchange(post('/my/own/llm', long, headers, encode), ANSWER, piece_bytes);
        assert.equal(only().request.max_tokens, 9);
        assert.equal(only().request_bytes > 0, true);
      }
    }
  });

  for (const [target, provider, model] of [
    ['/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21', 'azure.ai.openai', 'm'],
    ['/openai/v1/chat/completions', 'openai', 'm'],
    ['/v1/acct/gateway/anthropic/v1/messages', 'anthropic', 'm'],
    ['/v1/acct/gateway/openai/chat/completions', 'openai', 'm'],
    ['/v1/acct/gateway/workers-ai/@cf/meta/llama-3-8b', '_OTHER', 'm'],
    ['/vertex_ai/v1/projects/p/locations/l/publishers/google/models/g:generateContent', 'gcp.vertex_ai', 'g'],
    ['/bedrock/model/us.amazon.nova-pro-v1%3A0/converse', 'aws.bedrock', 'us.amazon.nova-pro-v1:0'],
    ['/v1/agents/completions', 'openai', 'm'],
  ] as const) {
    test(`behind a gateway at ${target}, is ${provider}'s`, () => {
      const { only } = exchange(post(target, { model: 'm', messages: MESSAGES, max_tokens: 9 }));
      assert.equal(only().provider, provider);
      assert.equal(only().request.model, model);
    });
  }

  test('is named after the provider that a gateway is told in a header', () => {
    const body = { model: 'm', messages: MESSAGES };
    const portkey = exchange(post('/v1/chat/completions', body, ['X-Portkey-Provider: mistral-ai']));
    assert.equal(portkey.only().provider, 'mistral_ai');
    const helicone = exchange(post('/v1/chat/completions', body, ['Helicone-Target-Url: https://api.x.ai']));
    assert.equal(helicone.only().provider, 'x_ai');
  });
});

describe('no call is made of', () => {
  for (const [name, request] of [
    ['telemetry', post('/api/2/otlp', { resourceMetrics: [{ scopeMetrics: [] }] })],
    ['events that speak of models', post('/api/rgstr2', { events: [{ model: 'm', messages: MESSAGES }] })],
    ['MCP', post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { messages: MESSAGES } })],
    ['a mail', post('/v1/messages', { to: 'a@b.example', text: 'hi' })],
    ['an answer to a survey', post('/v1/responses', { survey: 7, answers: ['yes'] })],
    ['counting tokens', post('/v1/messages/count_tokens', { model: 'm', messages: MESSAGES })],
    ['a body that breaks off', post('/x', { model: 'm', messages: MESSAGES }).subarray(0, -5)],
    ['text', post('/x', 'model messages prompt')],
    ['nothing', post('/x', '')],
  ] as const) {
    test(name, () => {
      const { stage, calls, counters } = exchange(request, {});
      stage.close?.();
      assert.deepEqual(calls(), []);
      assert.equal(counters.get('exchange.provider_failed'), 0);
    });
  }

  test('a large upload, of which no more than its beginning is held', () => {
    const watched = watch({ max_buffered_bytes: 200_000 }, providers);
    const upload = post('/upload', { rows: 'x'.repeat(1_000_000) });
    const other = watched.connection(2n);
    for (let at = 0; at < upload.length - 10_000; at += 10_000) other.write(upload.subarray(at, at + 10_000));
    const { write, read } = watched.connection(1n);
    write(post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'y'.repeat(150_000) }] }));
    read(jsonResponse(ANSWER));
    assert.deepEqual(watched.only().gaps, []);
  });
});

for (const [host, is_seller_unknown] of [
  ['localhost:1234', true],
  ['llm.example', true],
  ['api.openai.com', false],
  ['llm.example\r\nx-portkey-provider: openai', false],
  ['llm.example\r\nhelicone-target-url: https://api.groq.com/openai', false],
] as const) {
  test(`who sells what ${host.replace('\r\n', ' with ')} serves is ${is_seller_unknown ? 'not ' : ''}known`, () => {
    const watched = watch({}, providers);
    const { write, read } = watched.connection(1n);
    const request = post('/v1/chat/completions', { model: 'gpt-oss-20b', messages: MESSAGES }).toString();
    write(request.replace(/(?<=\r\nHost: )[^\r]+/i, host));
    read(jsonResponse(ANSWER));
    assert.equal(watched.only().is_seller_unknown, is_seller_unknown);
    if (host === 'localhost:1234') assert.equal(watched.only().provider, 'openai');
  });
}

test('a request for which there is no room is a call of which that is said, if its beginning is one of', () => {
  const watched = watch({ max_buffered_bytes: 100_000 }, providers);
  const { write, read } = watched.connection(1n);
  const request = post('/ask', { model: 'm', messages: [{ role: 'user', content: 'x'.repeat(150_000) }] });
  for (let at = 0; at < request.length; at += 16_384) write(request.subarray(at, at + 16_384));
  read(jsonResponse(ANSWER));
  assert.equal(watched.only().gaps[0]?.reason, 'too_large');
});

test('a request that is announced as JSON of a model and then lost is not guessed at', () => {
  const watched = watch({}, providers);
  const { write, read } = watched.connection(1n);
  const request = post('/my/own/llm', { model: 'm', messages: MESSAGES });
  write(request.subarray(0, -20), 20);
  read(jsonResponse(ANSWER));
  assert.deepEqual(watched.calls(), []);
});
