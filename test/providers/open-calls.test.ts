import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenCalls } from '../../src/providers/open-calls.ts';
import { post } from './exchange-fixture.ts';

const request = {
  operation: 'chat',
  model: 'm',
  stream: true,
  system_instructions: [],
  messages: [],
  tools: [],
  attributes: {},
} as const;
const response = { finish_reasons: [], messages: [], tool_calls: [], usage: {}, attributes: {} };
const reader = { result: () => ({ response, error: undefined, malformed: undefined }) };
const openCalls = () => createOpenCalls<typeof reader>(post('h', '/realtime'), 'openai');

test('a call is open until its end was seen, whatever is said of it later', () => {
  const open = openCalls();
  const [first, second] = [open.begin(request, reader), open.begin(request, reader)];
  assert.equal(first.state, 'open');
  first.end('complete');
  first.end('lost');
  assert.equal(first.state, 'complete');
  assert.deepEqual(open.list, [second]);
});

test('of too many calls at a time, the one that began first is lost', () => {
  const open = openCalls();
  const calls = Array.from({ length: 65 }, () => open.begin(request, reader));
  assert.deepEqual(
    calls.filter(({ state }) => state === 'lost'),
    [calls[0]],
  );
  assert.equal(open.list.length, 64);
});

test('what was open when the server could not be read is lost with the next request', () => {
  const open = openCalls();
  const first = open.begin(request, reader);
  open.damaged('sent');
  open.loseDamaged();
  assert.equal(first.state, 'open');
  open.damaged('received');
  open.loseDamaged();
  assert.equal(first.state, 'lost');
  const second = open.begin(request, reader);
  open.loseDamaged();
  assert.equal(second.state, 'open');
});
