import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LlmRequest, LlmResponse, MessagePart } from '../../src/model/llm-call.ts';
import { providers } from '../../src/providers/providers.ts';
import { webSocketApis } from '../../src/providers/websocket-apis.ts';
import { post } from '../providers/exchange-fixture.ts';
import { damagedBytes } from './damaged-bytes.ts';
import { damagedJson } from './damaged-json.ts';
import { fuzzBudget } from './fuzz-budget.ts';
import { GRPC_SAMPLES } from './grpc-samples.ts';
import { SAMPLES, WEBSOCKET_SAMPLES } from './provider-samples.ts';

const RUNS = 250;
const SHARE = 1 / (SAMPLES.length + WEBSOCKET_SAMPLES.length + GRPC_SAMPLES.length);

function assertParts(parts: readonly MessagePart[]): void {
  for (const part of parts) {
    if ('content' in part) assert.equal(typeof part.content, 'string');
    if (part.type === 'tool_call') assert.equal(typeof part.name, 'string');
    if (part.type === 'tool_call' || part.type === 'tool_call_response') {
      assert.ok(part.id === null || typeof part.id === 'string');
    }
  }
}

function assertRequest({ model, messages, system_instructions, tools, stop_sequences, ...request }: LlmRequest): void {
  assert.ok(model === undefined || typeof model === 'string');
  assertParts(system_instructions);
  for (const { parts } of messages) assertParts(parts);
  for (const { name } of tools) assert.equal(typeof name, 'string');
  for (const stop of stop_sequences ?? []) assert.equal(typeof stop, 'string');
  for (const id of [request.conversation_id, request.previous_response_id]) {
    assert.ok(id === undefined || typeof id === 'string');
  }
}

function assertResponse({ id, model, messages, tool_calls, usage, finish_reasons }: LlmResponse): void {
  for (const text of [id, model]) assert.ok(text === undefined || typeof text === 'string');
  for (const { parts } of messages) assertParts(parts);
  for (const reason of finish_reasons) assert.equal(typeof reason, 'string');
  for (const call of tool_calls) assert.deepEqual([typeof call.id, typeof call.name], ['string', 'string']);
  for (const count of Object.values(usage)) assert.ok(Number.isSafeInteger(count) && count >= 0, `${count} tokens`);
}

/** What is read can be written down. */
function assertPlain(value: unknown): void {
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item));
}

describe('no request and no response makes a provider throw, or say what is no value of its kind', () => {
  for (const { host = 'h', target, request, body, events } of SAMPLES) {
    const head = post(host, target);
    const [provider] = providers.filter((candidate) => candidate.matches(head));
    test(provider?.name ?? target, () => {
      assert.ok(provider !== undefined);
      const given = fc.tuple(
        damagedJson([request]),
        damagedJson([body]),
        damagedJson(events),
        fc.constantFrom(200, 200, 429),
      );
      fc.assert(
        fc.property(given, ([[asked = ''], [whole = ''], streamed, status]) => {
          const parsed = provider.parseRequest(head, Buffer.from(asked));
          assertRequest(parsed.request);
          for (const kind of ['whole', 'streamed']) {
            const reader = provider.createResponseReader(parsed.request, { status, headers: new Map() });
            if (kind === 'whole') reader.pushBody(Buffer.from(whole), 1n);
            else for (const data of streamed) reader.pushEvent({ event: undefined, data }, 1n);
            if (status >= 400) reader.pushEvent({ event: undefined, data: whole, error_type: 'Throttled' }, 2n);
            const result = reader.result();
            assertResponse(result.response);
            assertPlain([parsed, result, reader.complete]);
          }
        }),
        fuzzBudget(RUNS, SHARE),
      );
    });
  }

  for (const { target, request, response } of GRPC_SAMPLES) {
    const head = post('h', target, { 'content-type': 'application/grpc' });
    const [provider] = providers.filter((candidate) => candidate.matches(head));
    test(provider?.name ?? target, () => {
      assert.ok(provider !== undefined);
      const given = fc.tuple(damagedBytes([request]), fc.array(damagedBytes([response]), { maxLength: 4 }));
      fc.assert(
        fc.property(given, ([asked, told]) => {
          const parsed = provider.parseRequest(head, Buffer.from(asked));
          assertRequest(parsed.request);
          const reader = provider.createResponseReader(parsed.request, { status: 200, headers: new Map() });
          for (const bytes of told) reader.pushEvent({ event: undefined, data: '', message: Buffer.from(bytes) }, 1n);
          const result = reader.result();
          assertResponse(result.response);
          assertPlain([parsed, result]);
        }),
        fuzzBudget(RUNS, SHARE),
      );
    });
  }

  for (const [index, { sent, received }] of WEBSOCKET_SAMPLES.entries()) {
    const api = webSocketApis[index];
    test(api?.name ?? 'WebSocket', () => {
      assert.ok(api !== undefined);
      const given = fc.tuple(
        damagedJson([...sent, ...sent]),
        damagedJson([...received, ...received]),
        fc.array(fc.boolean()),
      );
      fc.assert(
        fc.property(given, ([says, hears, turns]) => {
          const session = api.createSession({ ...post('h', '/v1/responses'), method: 'GET' });
          const take = (call: ReturnType<typeof session.sent>): void => {
            if (call === undefined) return;
            assertRequest(call.request);
            const result = call.result();
            assertResponse(result.response);
            assertPlain([call.request, result]);
          };
          for (const text of says) take(session.sent(text, 1n));
          for (const [at, text] of hears.entries()) {
            if (turns[at] === true) take(session.sent(says[at % says.length] ?? '', 2n));
            if (turns[at] === false && at % 5 === 0) session.damaged('received');
            take(session.received(text, 3n));
          }
        }),
        fuzzBudget(RUNS, SHARE),
      );
    });
  }
});
