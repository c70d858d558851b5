import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { providers } from '../../src/providers/providers.ts';
import { post } from './exchange-fixture.ts';

const ID = '23f33c95-4c31-467a-a471-958b275860da';
const DEVICE = '2c2442a60d10e3a73866c2e5ed59726024732242c2f99b2e6b2f90d6c8afa171';
const ACCOUNT = '8f14e45f-ceea-467f-a83c-5f0b3f1d2a77';

function conversation(target: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const head = post('h', target, headers);
  const provider = providers.find((candidate) => candidate.matches(head));
  assert.ok(provider);
  const { request } = provider.parseRequest(head, Buffer.from(JSON.stringify(body)));
  return [request.conversation_id, request.conversation_is_session === true] as const;
}

describe('the conversation of a request', () => {
  for (const name of ['x-claude-code-session-id', 'session-id', 'session_id', 'thread-id', 'conversation_id']) {
    test(`is the session in ${name}`, () => {
      assert.deepEqual(conversation('/v1/responses', {}, { [name]: ID }), [ID, true]);
    });
  }

  test('is the session in x-session-id, whatever API it speaks', () => {
    for (const target of ['/v1/chat/completions', '/v1beta/models/m:generateContent', '/ollama/api/chat']) {
      assert.deepEqual(conversation(target, {}, { 'x-session-id': ID }), [ID, true]);
    }
  });

  test('is the session in Claude Code’s user id, and nothing of the user', () => {
    for (const user_id of [
      `user_${DEVICE}_account_${ACCOUNT}_session_${ID}`,
      `user_${DEVICE}_account__session_${ID}`,
      JSON.stringify({ device_id: DEVICE, account_uuid: ACCOUNT, session_id: ID }),
    ]) {
      assert.deepEqual(conversation('/v1/messages', { metadata: { user_id } }), [ID, true]);
    }
  });

  test('is nothing that another user id holds', () => {
    for (const user_id of [
      'alice',
      `user_${DEVICE}_account_${ACCOUNT}`,
      '{"session_id":7}',
      '{"session_id":"a b"}',
      '{',
      7,
    ]) {
      assert.deepEqual(conversation('/v1/messages', { metadata: { user_id } }), [undefined, false]);
    }
  });

  test('is no header that is no id', () => {
    for (const value of ['', ' ', 'two words', 'a,b', 'x'.repeat(129), '../x']) {
      assert.deepEqual(conversation('/v1/messages', {}, { 'x-session-id': value }), [undefined, false]);
    }
  });

  test('that the body names is the one, and no session', () => {
    const body = { conversation: { id: 'conv_1' } };
    assert.deepEqual(conversation('/v1/responses', body, { 'session-id': ID }), ['conv_1', false]);
  });
});
