import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createExchange } from '../../src/exchange/exchange.ts';
import { exchangeOptionsSchema } from '../../src/exchange/options.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { Event, TlsDataEvent } from '../../src/model/event.ts';
import type { LlmCall } from '../../src/model/llm-call.ts';
import { providers } from '../../src/providers/providers.ts';
import { webSocketApis } from '../../src/providers/websocket-apis.ts';
import { usedBytes } from '../kept-bytes.ts';
import { fuzzBudget } from './fuzz-budget.ts';
import { type CapturedPiece, captured, corruptions, losses } from './mutation.ts';
import { ANSWER_TEXT, QUESTION_TEXT, type Recording, recordTraffic } from './recorded-traffic.ts';

let recordings: readonly Recording[] = [];
before(async () => {
  recordings = await recordTraffic();
});

/** An exchange stage that is given captured connections. */
function watch(options: Record<string, unknown> = {}) {
  const calls: LlmCall[] = [];
  const counters = createCounters();
  const stage = createExchange(
    { ...exchangeOptionsSchema.parse(options), counters, providers, webSocketApis },
    { push: (item) => void (item.kind === 'llm_call' && calls.push(item)) },
  );
  let now_ns = 1n;
  const give = (pieces: readonly CapturedPiece[], connection: bigint): void => {
    for (const { direction, data, offset, lost_bytes } of pieces) {
      now_ns += 1000n;
      const of = { process: '7:70' as const, pid: 7, tid: 8, socket_id: 5n, connection };
      const event: TlsDataEvent = {
        kind: 'tls_data',
        ktime_ns: now_ns,
        call_start_ns: now_ns - 1n,
        ...of,
        direction,
        offset,
        data,
        lost_bytes,
      } as TlsDataEvent;
      stage.push(event as Event);
    }
  };
  const wait = (): void => {
    now_ns += 10_000_000_000n;
    stage.tick?.(now_ns);
  };
  return { calls, counters, stage, give, wait };
}

/** Each call begins once and ends once. */
function assertPaired(calls: readonly LlmCall[]): void {
  const ids = (phase: LlmCall['phase']) => calls.filter((call) => call.phase === phase).map(({ call_id }) => call_id);
  assert.deepEqual(ids('end').sort(), ids('request').sort());
  assert.equal(new Set(ids('end')).size, ids('end').length);
}

const textOf = (messages: readonly { parts: readonly { type: string; content?: unknown }[] }[] | undefined): string =>
  (messages ?? [])
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'text' ? [part.content] : [])))
    .join('');

const pick = fc.nat(4);

describe('recorded traffic', () => {
  test('gives all its calls, whole', () => {
    const wanted: Record<string, number> = { 'HTTP/1.1': 12, 'HTTP/2': 12 };
    for (const { name, pieces } of recordings) {
      const { calls, give, stage } = watch();
      give(captured(pieces, []), 1n);
      void stage.close?.();
      const ended = calls.filter(({ phase }) => phase === 'end');
      assert.equal(ended.length, wanted[name] ?? 3, name);
      for (const { error, gaps, request, response } of ended) {
        assert.deepEqual([error, gaps], [undefined, []], name);
        assert.equal(textOf(response?.messages), ANSWER_TEXT, name);
        assert.ok(textOf(request.messages).startsWith(QUESTION_TEXT), name);
      }
    }
  });

  test('of which pieces are missing: a call that says nothing of it is whole, and nothing is made up', () => {
    fc.assert(
      fc.property(pick, losses, fc.boolean(), (index, happened, waits) => {
        const { calls, give, wait, stage } = watch();
        give(captured(recordings[index]?.pieces ?? [], happened), 1n);
        if (waits) wait();
        void stage.close?.();
        assertPaired(calls);
        for (const { phase, error, gaps, request, response } of calls) {
          if (phase === 'request' || error !== undefined || gaps.length > 0) continue;
          assert.equal(textOf(response?.messages), ANSWER_TEXT);
          assert.ok(textOf(request.messages).startsWith(QUESTION_TEXT));
          assert.equal(response?.tool_calls.length, 1);
        }
      }),
      fuzzBudget(250, 0.4),
    );
  });

  test('of which anything is damaged: each call that began ends', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pick, corruptions), { minLength: 1, maxLength: 2 }), (several) => {
        const { calls, give, wait, stage, counters } = watch();
        for (const [index, happened] of several) give(captured(recordings[index]?.pieces ?? [], happened), 1n);
        wait();
        void stage.close?.();
        assertPaired(calls);
        assert.equal(counters.get('exchange.provider_failed'), 0);
      }),
      fuzzBudget(250, 0.4),
    );
  });

  test('of which everything is damaged, on and on, never ends: memory stays bounded', () => {
    const budget = { max_body_bytes: 200_000, max_buffered_bytes: 1_000_000, max_connections: 8 };
    const { give, wait } = watch(budget);
    const filler = Buffer.alloc(100_000, 'x');
    let connection = 0n;
    let fed_bytes = 0;
    const before_bytes = usedBytes();
    let highest_bytes = 0;
    fc.assert(
      fc.property(pick, corruptions, (index, happened) => {
        const { pieces } = recordings[index] as Recording;
        // A share of it, and then much more where a body, a frame or a head goes on.
        const half = captured(pieces.slice(0, pieces.length >> 1), happened);
        const last = half.at(-1);
        give(half, ++connection);
        let offset = (last?.offset ?? 0n) + BigInt((last?.data.length ?? 0) + (last?.lost_bytes ?? 0));
        for (let count = 0; count < 20; count++) {
          give([{ direction: last?.direction ?? 'read', data: filler, offset, lost_bytes: 0 }], connection);
          offset += BigInt(filler.length);
          fed_bytes += filler.length;
        }
        wait();
        if (connection % 50n === 0n) highest_bytes = Math.max(highest_bytes, usedBytes());
      }),
      fuzzBudget(200, 0.2),
    );
    assert.ok(fed_bytes > 100_000_000);
    const grown_bytes = highest_bytes - before_bytes;
    assert.ok(grown_bytes < 64 * 2 ** 20, `${grown_bytes} bytes are kept of ${fed_bytes}`);
  });
});
