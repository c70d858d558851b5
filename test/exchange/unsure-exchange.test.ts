import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUnsureExchange } from '../../src/exchange/unsure-exchange.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { ExchangeListener } from '../../src/protocol/http-exchange.ts';
import type { BodyPart } from '../../src/providers/provider.ts';
import { keptBytes } from '../kept-bytes.ts';

const at = (ktime_ns: bigint) => ({ ktime_ns, call_start_ns: ktime_ns, tid: 1 });
const head = { method: 'POST', target: '/x', host: 'h', headers: new Map() };

/** An exchange whose body is a call's if `verdict` says so, and what was heard of it, by whom. */
function unsure(verdict: (body: string, part: BodyPart) => boolean) {
  const heard: string[] = [];
  const listener = (who: string): ExchangeListener<ReturnType<typeof at>> => ({
    requestBody: (data, { ktime_ns }) => void heard.push(`${who} body ${Buffer.from(data)} ${ktime_ns}`),
    requestGap: (bytes) => void heard.push(`${who} gap ${bytes}`),
    requestEnd: (_at, whole) => void heard.push(`${who} end ${whole}`),
    responseHead: ({ status }) => void heard.push(`${who} head ${status}`),
    responseBody: (data) => void heard.push(`${who} answer ${Buffer.from(data)}`),
    responseGap: (bytes) => void heard.push(`${who} answer gap ${bytes}`),
    responseMalformed: () => void heard.push(`${who} malformed`),
    responseEnd: (_at, how) => void heard.push(`${who} over ${how}`),
  });
  const budget = { max_body_bytes: 1 << 20, max_buffered_bytes: 1 << 20, buffered_bytes: 0 };
  const counters = createCounters();
  const exchange = createUnsureExchange({
    head,
    budget,
    counters,
    confirms: (_head, body, part) => verdict(body.toString(), part),
    begin: () => listener('call'),
    otherwise: () => listener('other'),
  });
  return { exchange, heard, budget, counters };
}

for (const [is_call, who] of [
  [true, 'call'],
  [false, 'other'],
] as const) {
  test(`what is ${is_call ? 'a' : 'no'} call is told from its beginning on, when its body is whole`, () => {
    const { exchange, heard, budget } = unsure((body) => body === 'onetwo' && is_call);
    exchange.requestBody(Buffer.from('one'), at(1n));
    exchange.requestBody(Buffer.from('two'), at(2n));
    assert.deepEqual(heard, []);
    assert.equal(budget.buffered_bytes, 6);
    exchange.requestEnd(at(2n), true);
    exchange.responseHead({ kind: 'response', status: 200, reason: '', headers: new Map() }, at(3n));
    exchange.responseBody(Buffer.from('three'), at(3n));
    exchange.responseEnd(at(4n), 'whole');
    assert.deepEqual(
      heard,
      ['body onetwo 2', 'end true', 'head 200', 'answer three', 'over whole'].map((text) => `${who} ${text}`),
    );
    assert.equal(budget.buffered_bytes, 0);
  });
}

test('what cannot become a call is not held longer than it takes to tell', () => {
  const { exchange, heard, budget } = unsure((_body, part) => part !== 'beginning');
  const piece = Buffer.alloc(50_000, 'x');
  for (let count = 0; count < 4; count++) exchange.requestBody(piece, at(BigInt(count)));
  assert.equal(heard.length, 3);
  assert.ok(heard.every((text) => text.startsWith('other ')));
  assert.equal(budget.buffered_bytes, 0);
});

test('a body that comes byte by byte takes no more room than it is', () => {
  const { exchange, budget } = unsure(() => true);
  const size = 500_000;
  const { bytes, kept } = keptBytes(() => {
    for (let count = 0; count < size; count++) exchange.requestBody(Uint8Array.of(count), at(BigInt(count)));
    return exchange;
  });
  assert.equal(budget.buffered_bytes, size);
  assert.ok(bytes < 8 * size, `${bytes} bytes are kept of ${size}`);
  kept.requestEnd(at(1n), true);
  assert.equal(budget.buffered_bytes, 0);
});

test('what is missing is decided about with what is there', () => {
  const parts: BodyPart[] = [];
  const { exchange, heard } = unsure((_body, part) => parts.push(part) > 0);
  exchange.requestBody(Buffer.from('one'), at(1n));
  exchange.requestGap(7, at(2n));
  exchange.requestBody(Buffer.from('two'), at(3n));
  assert.deepEqual(parts, ['cut']);
  assert.deepEqual(heard, ['call body one 1', 'call gap 7', 'call body two 3']);
});

for (const [what, call, is_lost] of [
  ['is one', (part: BodyPart) => part === 'outgrown' || part === 'beginning', false],
  ['may be one', (part: BodyPart) => part === 'beginning', true],
  ['is none', () => false, false],
] as const) {
  test(`what finds no room, and ${what} by its beginning, is ${is_lost ? 'counted as lost' : 'handed on'}`, () => {
    const { exchange, heard, budget, counters } = unsure((_body, part) => call(part));
    budget.buffered_bytes = budget.max_buffered_bytes - 5;
    exchange.requestBody(Buffer.from('one'), at(1n));
    exchange.requestBody(Buffer.from('two'), at(2n));
    const who = what === 'is one' ? 'call' : 'other';
    assert.deepEqual(heard, [`${who} body onetwo 2`]);
    assert.deepEqual(counters.losses(), is_lost ? [['exchange.unsure_requests_dropped', 1]] : []);
  });
}
