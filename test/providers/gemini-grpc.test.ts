import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { geminiOverGrpc, vertexOverGrpc } from '../../src/providers/gemini-grpc.ts';
import type { HttpResponseHead, Provider, StreamEvent } from '../../src/providers/provider.ts';
import { doubleField, floatField, protoField } from '../protocol/proto-bytes.ts';
import { ok, post } from './exchange-fixture.ts';

const GRPC = { 'content-type': 'application/grpc' };
const SERVICE = '/google.ai.generativelanguage.v1beta.GenerativeService';
const head = post('generativelanguage.googleapis.com', `${SERVICE}/StreamGenerateContent`, GRPC);
const vertexHead = post(
  'aiplatform.googleapis.com',
  '/google.cloud.aiplatform.v1.PredictionService/GenerateContent',
  GRPC,
);

/** google.protobuf.Struct of `{path: '.', n: 2.5, all: true, none: null, list: ['a', {}]}`. */
const entry = (key: string, value: Buffer) => protoField(1, [protoField(1, key), protoField(2, value)]);
const ARGUMENTS = { path: '.', n: 2.5, all: true, none: null, list: ['a', {}] };
const struct = [
  entry('path', protoField(3, '.')),
  entry('n', doubleField(2, 2.5)),
  entry('all', protoField(4, 1)),
  entry('none', protoField(1, 0)),
  entry('list', protoField(6, [protoField(1, protoField(3, 'a')), protoField(1, protoField(5, []))])),
];
const call = (part: number) => protoField(part, [protoField(1, 'ls'), protoField(2, struct), protoField(3, 'c1')]);

function read(provider: Provider, from: typeof head, events: readonly StreamEvent[], response: HttpResponseHead = ok) {
  const { request } = provider.parseRequest(from, Buffer.alloc(0));
  const reader = provider.createResponseReader(request, response);
  for (const [index, event] of events.entries()) reader.pushEvent(event, BigInt(index + 1));
  return reader.result();
}
const message = (data: Buffer): StreamEvent => ({ event: undefined, data: '', message: data });

describe('Gemini over gRPC', () => {
  const request = Buffer.concat([
    protoField(1, 'models/gemini-2.5-pro'),
    protoField(8, [protoField(1, [protoField(2, 'Be brief.')])]),
    protoField(2, [protoField(1, [protoField(2, 'hi')]), protoField(2, 'user')]),
    protoField(2, [protoField(1, [call(4)]), protoField(2, 'model')]),
    protoField(4, [
      protoField(4, 100),
      floatField(5, 0.2),
      floatField(6, 0.9),
      protoField(7, 40),
      protoField(2, 'END'),
    ]),
    protoField(5, [protoField(1, [protoField(1, 'ls'), protoField(2, 'Lists')])]),
    protoField(99, 'a field of tomorrow'),
  ]);

  test('is asked with all that its JSON would say', () => {
    assert.equal(geminiOverGrpc.matches(head), true);
    const { provider, request: parsed, malformed } = geminiOverGrpc.parseRequest(head, request);
    assert.equal(provider, 'gcp.gemini');
    assert.equal(malformed, undefined);
    assert.deepEqual(JSON.parse(JSON.stringify(parsed)), {
      operation: 'generate_content',
      model: 'gemini-2.5-pro',
      stream: true,
      max_tokens: 100,
      temperature: 0.2,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      system_instructions: [{ type: 'text', content: 'Be brief.' }],
      messages: [
        { role: 'user', parts: [{ type: 'text', content: 'hi' }] },
        { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'ls', arguments: ARGUMENTS }] },
      ],
      tools: [{ type: 'function', name: 'ls', description: 'Lists' }],
      attributes: {},
    });
  });

  const usage = [protoField(1, 10), protoField(2, 5), protoField(3, 18), protoField(4, 4), protoField(10, 3)];
  const first = protoField(1, [protoField(1, [protoField(1, [protoField(2, 'I '), protoField(11, 0)])])]);
  const second = Buffer.concat([
    protoField(1, [
      protoField(1, [protoField(1, [protoField(2, 'look.')]), protoField(1, [call(4)])]),
      protoField(2, 1),
    ]),
    protoField(3, usage),
    protoField(4, 'gemini-2.5-pro-002'),
    protoField(5, 'resp-1'),
  ]);

  test('answers in pieces', () => {
    const { response, error, malformed } = read(geminiOverGrpc, head, [message(first), message(second)]);
    assert.equal(malformed, undefined);
    assert.equal(error, undefined);
    assert.deepEqual(response, {
      id: 'resp-1',
      model: 'gemini-2.5-pro-002',
      finish_reasons: ['stop'],
      messages: [
        {
          role: 'assistant',
          finish_reason: 'tool_call',
          parts: [
            { type: 'text', content: 'I look.' },
            { type: 'tool_call', id: 'c1', name: 'ls', arguments: ARGUMENTS },
          ],
        },
      ],
      tool_calls: [{ id: 'c1', name: 'ls', arguments: ARGUMENTS, complete_ns: 2n }],
      usage: { input_tokens: 10, output_tokens: 8, cache_read_input_tokens: 4, reasoning_output_tokens: 3 },
      attributes: {},
    });
  });

  test('says that it failed', () => {
    const data = JSON.stringify({ message: 'Quota exceeded' });
    const { error } = read(geminiOverGrpc, head, [{ event: undefined, data, error_type: 'RESOURCE_EXHAUSTED' }]);
    assert.deepEqual(error, { type: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded' });
  });

  test('is marked where it cannot be read, and what is known is told', () => {
    const garbage = Buffer.from([255, 255, 255]);
    const { provider, request: parsed, malformed } = geminiOverGrpc.parseRequest(head, garbage);
    assert.equal(provider, 'gcp.gemini');
    assert.equal(parsed.operation, 'generate_content');
    assert.match(malformed ?? '', /not the protobuf message/);
    assert.match(read(geminiOverGrpc, head, [message(garbage)]).malformed ?? '', /not the protobuf message/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        geminiOverGrpc.parseRequest(head, Buffer.from(bytes));
        vertexOverGrpc.parseRequest(vertexHead, Buffer.from(bytes));
        read(vertexOverGrpc, vertexHead, [message(Buffer.from(bytes))]);
      }),
    );
  });

  test('is marked where it has more fields than are read, however deep they are', () => {
    const many = Buffer.alloc(400_000, protoField(1, ''));
    const nested = Buffer.concat([protoField(1, 'models/m'), protoField(2, many), protoField(2, many)]);
    const { malformed, request: parsed } = geminiOverGrpc.parseRequest(head, nested);
    assert.match(malformed ?? '', /more fields than are read/);
    assert.equal(parsed.model, 'm');
    assert.match(read(geminiOverGrpc, head, [message(nested)]).malformed ?? '', /more fields than are read/);
    assert.equal(geminiOverGrpc.parseRequest(head, protoField(2, many)).malformed, undefined);
  });

  test('is not what other methods ask for', () => {
    for (const target of [
      `${SERVICE}/CountTokens`,
      '/google.storage.v2.Storage/ReadObject',
      '/v1beta/models/g:generateContent',
    ]) {
      assert.equal(geminiOverGrpc.matches(post('h', target, GRPC)), false, target);
    }
    assert.equal(geminiOverGrpc.matches(post('h', head.target, { 'content-type': 'application/json' })), false);
  });
});

test('Vertex AI over gRPC numbers the same fields otherwise', () => {
  const body = Buffer.concat([
    protoField(5, 'projects/p/locations/l/publishers/google/models/gemini-2.5-pro'),
    protoField(2, [protoField(1, 'user'), protoField(2, [protoField(1, 'hi')])]),
    protoField(4, [floatField(1, 0.2), protoField(5, 100)]),
  ]);
  assert.equal(vertexOverGrpc.matches(vertexHead), true);
  const { provider, request } = vertexOverGrpc.parseRequest(vertexHead, body);
  assert.equal(provider, 'gcp.vertex_ai');
  assert.equal(request.model, 'gemini-2.5-pro');
  assert.equal(request.stream, false);
  assert.equal(request.temperature, 0.2);
  assert.equal(request.max_tokens, 100);
  assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
  const answer = Buffer.concat([
    protoField(2, [protoField(2, [protoField(1, 'model'), protoField(2, [protoField(1, 'Hello')])]), protoField(3, 1)]),
    protoField(4, [protoField(1, 3), protoField(2, 2)]),
  ]);
  const { response } = read(vertexOverGrpc, vertexHead, [message(answer)]);
  assert.deepEqual(response.messages[0]?.parts, [{ type: 'text', content: 'Hello' }]);
  assert.deepEqual(response.usage, { input_tokens: 3, output_tokens: 2 });
  assert.deepEqual(response.finish_reasons, ['stop']);
});
