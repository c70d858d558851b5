import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { LlmResponse, Usage } from '../../src/model/llm-call.ts';
import { createCosts } from '../../src/spans/costs.ts';
import * as sample from './sample-activities.ts';

const CHAT_COST = 'gen_ai.usage.cost';
const TURN_COST = 'undersight.turn.cost';

function chatOf(provider: string, model: string | undefined, usage: Usage, more: Partial<LlmResponse> = {}) {
  const response: LlmResponse = { finish_reasons: [], messages: [], tool_calls: [], attributes: {}, usage, ...more };
  const request = { ...sample.call.request, model };
  return { ...sample.chat, call: { ...sample.call, provider, request, response } };
}

function costOf(...call: Parameters<typeof chatOf>) {
  const { spans, counts } = sample.spansOf([chatOf(...call)]);
  return { cost: spans[0]?.attributes[CHAT_COST], unpriced: counts['spans.call_unpriced'] ?? 0 };
}

/** Dollars for a million tokens each, times how many: the sum in dollars. */
const sum = (...parts: readonly (readonly [tokens: number, per_million: number])[]) =>
  Number((parts.reduce((total, [tokens, price]) => total + tokens * price, 0) / 1e6).toFixed(8));

describe('what a call cost', () => {
  test('Anthropic: cached input at a tenth, written to the cache for 5 minutes at 1.25, for an hour at twice the price', () => {
    const usage = {
      input_tokens: 10_000,
      cache_read_input_tokens: 6000,
      cache_creation_input_tokens: 3000,
      cache_creation_1h_input_tokens: 1000,
      output_tokens: 500,
    };
    const expected = sum([1000, 5], [6000, 0.5], [2000, 6.25], [1000, 10], [500, 25]);
    assert.deepEqual(costOf('anthropic', 'claude-opus-4-5-20251101', usage), { cost: expected, unpriced: 0 });
  });

  test('Anthropic: a search of the web costs a cent', () => {
    const usage = { input_tokens: 1000, output_tokens: 100, web_search_count: 3 };
    assert.equal(costOf('anthropic', 'claude-opus-4-5', usage).cost, sum([1000, 5], [100, 25], [3, 10_000]));
  });

  test('OpenAI: cached input at the share that the model has', () => {
    const usage = { input_tokens: 2000, cache_read_input_tokens: 1500, output_tokens: 100 };
    assert.equal(costOf('openai', 'gpt-4o-2024-08-06', usage).cost, sum([500, 2.5], [1500, 1.25], [100, 10]));
    assert.equal(costOf('openai', 'gpt-4.1', usage).cost, sum([500, 2], [1500, 0.5], [100, 8]));
    assert.equal(costOf('openai', 'gpt-5', usage).cost, sum([500, 1.25], [1500, 0.125], [100, 10]));
  });

  test('Gemini: a long prompt at the price of long prompts', () => {
    const usage = { cache_read_input_tokens: 1000, output_tokens: 100, reasoning_output_tokens: 60 };
    const short = costOf('gcp.gemini', 'gemini-2.5-pro', { ...usage, input_tokens: 200_000 });
    assert.equal(short.cost, sum([199_000, 1.25], [1000, 0.125], [100, 10]));
    const long = costOf('gcp.gemini', 'gemini-2.5-pro', { ...usage, input_tokens: 200_001 });
    assert.equal(long.cost, sum([199_001, 2.5], [1000, 0.25], [100, 15]));
  });

  test('sound at its own prices, also from the cache; unknown where the table has none for it', () => {
    const audio = { input_audio_tokens: 800, output_audio_tokens: 60 };
    const heard = { input_tokens: 1000, output_tokens: 100, ...audio };
    assert.equal(costOf('openai', 'gpt-realtime', heard).cost, sum([200, 4], [800, 32], [40, 16], [60, 64]));
    const cached = { ...heard, cache_read_input_tokens: 500, cache_read_audio_tokens: 400 };
    const rest = [
      [100, 4],
      [400, 32],
      [500, 0.4],
      [40, 16],
      [60, 64],
    ] as const;
    assert.equal(costOf('openai', 'gpt-realtime', cached).cost, sum(...rest));
    const gemini = { input_tokens: 1000, input_audio_tokens: 800, output_tokens: 0 };
    assert.equal(costOf('gcp.gemini', 'gemini-2.5-flash', gemini).cost, sum([200, 0.3], [800, 1]));
    assert.deepEqual(costOf('openai', 'gpt-4o-audio-preview', heard), { cost: undefined, unpriced: 1 });
    assert.deepEqual(costOf('openai', 'gpt-realtime', { ...heard, cache_read_input_tokens: 500 }).unpriced, 1);
  });

  test('embeddings: nothing is written', () => {
    assert.equal(costOf('openai', 'text-embedding-3-small', { input_tokens: 5000 }).cost, sum([5000, 0.02]));
  });

  test('the same model at the price of who sells it', () => {
    const usage = { input_tokens: 1_000_000, output_tokens: 0 };
    assert.equal(costOf('aws.bedrock', 'global.anthropic.claude-sonnet-4-5-20250929-v1:0', usage).cost, 3);
    assert.equal(costOf('aws.bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', usage).cost, 3.3);
    assert.equal(costOf('azure.ai.openai', 'gpt-4o', usage).cost, 2.5);
    assert.equal(costOf('x_ai', 'grok-4-0709', { input_tokens: 1000, output_tokens: 0 }).cost, sum([1000, 3]));
  });

  test('the price of the model that answered, else of the one that was asked', () => {
    const usage = { input_tokens: 1000, output_tokens: 0 };
    assert.equal(costOf('openai', 'gpt-4o', usage, { model: 'gpt-5-2025-08-07' }).cost, sum([1000, 1.25]));
    assert.equal(costOf('openai', 'gpt-4o', usage, { model: 'no-such-model' }).cost, sum([1000, 2.5]));
  });

  test('what the provider itself says, where it does', () => {
    const usage = { input_tokens: 1000, output_tokens: 0 };
    assert.equal(costOf('openrouter', 'no/model', usage, { told_cost_usd: 0.25 }).cost, 0.25);
    assert.equal(costOf('openai', 'gpt-5', usage, { told_cost_usd: 0, service_tier: 'flex' }).cost, 0);
  });

  describe('where nothing says who sells it', () => {
    const usage = { input_tokens: 1_000_000, output_tokens: 0 };
    const localCost = (provider: string, asked: string, answered = asked) => {
      const chat = chatOf(provider, asked, usage, { model: answered });
      const { spans } = sample.spansOf([{ ...chat, call: { ...chat.call, is_seller_unknown: true } }]);
      return spans[0]?.attributes[CHAT_COST];
    };

    test('is that of the maker, if nobody else serves the model', () => {
      assert.equal(localCost('openai', 'gpt-4o'), 2.5);
      assert.equal(localCost('openai', 'openai/gpt-4o'), 2.5);
      assert.equal(localCost('_OTHER', 'o3-mini'), 1.1);
      assert.equal(localCost('openai', 'text-embedding-3-small'), 0.02);
      assert.equal(localCost('openai', 'claude-sonnet-4-5'), localCost('anthropic', 'claude-sonnet-4-5'));
      assert.notEqual(localCost('openai', 'claude-sonnet-4-5'), undefined);
      assert.notEqual(localCost('openai', 'gemini-2.5-flash'), undefined);
    });

    test('is not known, if its weights are open', () => {
      for (const model of [
        'gpt-oss-20b',
        'openai/gpt-oss-20b',
        'gpt-j-6b',
        'llama-3.3-70b',
        'qwen3-32b',
        'deepseek-chat',
      ]) {
        for (const provider of ['openai', 'anthropic', '_OTHER']) assert.equal(localCost(provider, model), undefined);
      }
      assert.equal(localCost('openai', 'gpt-4o', 'llama-3.2-1b'), undefined);
    });

    test('is that of the seller, where only he has that API or the path names him', () => {
      assert.equal(localCost('aws.bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'), 3.3);
      assert.notEqual(localCost('groq', 'llama-3.3-70b-versatile'), undefined);
    });
  });

  test('is left out, and counted, where it is not known', () => {
    const usage = { input_tokens: 1000, output_tokens: 100 };
    const unknown = { cost: undefined, unpriced: 1 };
    assert.deepEqual(costOf('ollama', 'qwen3:8b', usage), unknown);
    assert.deepEqual(costOf('openai', 'a-model-of-tomorrow', usage), unknown);
    assert.deepEqual(costOf('constructor', 'gpt-4o', usage), unknown);
    assert.deepEqual(costOf('openai', undefined, usage), unknown);
    assert.deepEqual(costOf('openai', 'gpt-5', usage, { service_tier: 'flex' }), unknown);
    assert.deepEqual(costOf('openai', 'gpt-5', { ...usage, cache_read_input_tokens: 2000 }), unknown);
    assert.deepEqual(costOf('openai', 'gpt-5', { input_tokens: -1 }), unknown);
    assert.deepEqual(costOf('openai', 'gpt-5', usage, { service_tier: 'default' }).unpriced, 0);
  });

  test('is nothing to speak of for a call that used nothing', () => {
    assert.deepEqual(costOf('openai', 'gpt-5', {}), { cost: undefined, unpriced: 0 });
  });
});

describe('what a turn cost', () => {
  const turnCost = (activities: Parameters<typeof sample.spansOf>[0]) =>
    sample.spansOf(activities).spans.find(({ name }) => name.startsWith('invoke_agent'))?.attributes[TURN_COST];
  const priced = chatOf('openai', 'gpt-5', { input_tokens: 1000, output_tokens: 0 });
  const unpriced = chatOf('ollama', 'qwen3:8b', { input_tokens: 1000, output_tokens: 0 });

  test('is the sum of its calls, as far as their prices are known', () => {
    assert.equal(turnCost([priced, { ...priced, id: 'chat-2' }, unpriced, sample.root]), sum([2000, 1.25]));
  });

  test('is left out where no price is known', () => {
    assert.equal(turnCost([unpriced, sample.root]), undefined);
  });

  test('is left out, and counted, where too many turns were open at a time to keep it', () => {
    const counters = createCounters();
    const costs = createCosts(counters);
    const call = chatOf('openai', 'gpt-5', { input_tokens: 1 }, { told_cost_usd: 1 });
    const turn = (id: string) => ({ ...sample.root, id });
    const addCall = (parent_id: string) => costs.ofCall({ ...call, parent_id }, 0);
    addCall('first');
    for (let count = 0; count < 65_536; count++) addCall(`turn-${count}`);
    addCall('first');
    assert.equal(counters.get('spans.turn_cost_incomplete'), 1);
    assert.equal(costs.ofTurn(turn('first')), undefined);
    assert.equal(costs.ofTurn(turn('turn-1')), 1);
  });

  test('does not hold the calls of another turn', () => {
    assert.equal(turnCost([{ ...priced, parent_id: 'another' }, sample.root]), undefined);
  });
});
