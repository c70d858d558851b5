import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anthropicOnVertex } from '../../src/providers/anthropic.ts';
import { bedrockInvoke } from '../../src/providers/bedrock.ts';
import { parse, post, status, whole } from './exchange-fixture.ts';

const VERTEX = 'us-east5-aiplatform.googleapis.com';
const BEDROCK = 'bedrock-runtime.us-east-1.amazonaws.com';
const model = (name: string) => `/v1/projects/p/locations/l/publishers/anthropic/models/${name}`;
const body = { anthropic_version: 'x', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
const answer = {
  id: 'msg_1',
  type: 'message',
  model: 'claude-sonnet-4-5',
  stop_reason: 'end_turn',
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: 3, output_tokens: 4 },
};

describe('Claude on Vertex AI', () => {
  test('is asked for the model that the path names, streamed or whole', () => {
    for (const [method, stream] of [
      ['rawPredict', false],
      ['streamRawPredict', true],
    ] as const) {
      const head = post(VERTEX, model(`claude-sonnet-4-5@20250929:${method}`));
      assert.equal(anthropicOnVertex.matches(head), true);
      const { provider, request } = parse(anthropicOnVertex, head, { ...body, stream: true });
      assert.equal(provider, 'gcp.vertex_ai');
      assert.equal(request.model, 'claude-sonnet-4-5@20250929');
      assert.equal(request.stream, stream);
      assert.equal(request.max_tokens, 9);
      assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
    }
  });

  test('is not asked when tokens are counted, nor when the model is of somebody else', () => {
    for (const target of [
      model('count-tokens:rawPredict'),
      model('claude-sonnet-4-5:predict'),
      '/v1/projects/p/locations/l/publishers/mistralai/models/m:rawPredict',
    ]) {
      assert.equal(anthropicOnVertex.matches(post(VERTEX, target)), false, target);
    }
  });

  test('refuses with an error of Google’s, also in an array', () => {
    const error = { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' };
    for (const refusal of [{ error }, [{ error }]]) {
      const result = whole(anthropicOnVertex, post(VERTEX, model('c:streamRawPredict')), body, refusal, status(429));
      assert.deepEqual(result.error, { type: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded' });
    }
  });
});

describe('Claude on Bedrock', () => {
  const ID = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${ID}`;

  test('is asked for the model that the path names, without the account', () => {
    for (const name of [ID, encodeURIComponent(ID), encodeURIComponent(arn)]) {
      const head = post(BEDROCK, `/model/${name}/invoke`);
      assert.equal(bedrockInvoke.matches(head), true, name);
      const { provider, request } = parse(bedrockInvoke, head, body);
      assert.equal(provider, 'aws.bedrock');
      assert.equal(request.model, ID);
      assert.equal(request.stream, false);
    }
  });

  test('answers as Claude does everywhere', () => {
    const head = post(BEDROCK, `/model/${ID}/invoke`);
    const { complete, response } = whole(bedrockInvoke, head, body, answer);
    assert.equal(complete, true);
    assert.deepEqual(response.usage, { input_tokens: 3, output_tokens: 4 });
    assert.deepEqual(response.finish_reasons, ['end_turn']);
  });

  test('refuses with an error that a header names', () => {
    const headers = new Map([['x-amzn-errortype', 'ThrottlingException:http://internal.amazon.com/']]);
    const head = post(BEDROCK, `/model/${ID}/invoke`);
    const { error } = whole(bedrockInvoke, head, body, { message: 'Too many' }, { status: 429, headers });
    assert.deepEqual(error, { type: 'ThrottlingException', message: 'Too many' });
  });
});
