import { createRequire } from 'node:module';
import type * as GenAiPrices from '@pydantic/genai-prices';
import type { Counters } from '../health/counters.ts';
import type { AgentActivity, ChatActivity } from '../model/activity.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { LlmCall, Usage } from '../model/llm-call.ts';

/** What calls cost in US dollars: as their provider says, else at the list prices of their day, from a table in the package. */
export interface Costs {
  /** undefined: it used nothing, or its price is not known (counted as `spans.call_unpriced`). `unix_ms`: when it ended. */
  ofCall(activity: ChatActivity, unix_ms: number): number | undefined;
  /**
   * The sum over the calls of a turn whose price is known; undefined when there is none, or when too many turns were open to
   * keep it (counted as `spans.turn_cost_incomplete`).
   */
  ofTurn(activity: AgentActivity): number | undefined;
}

/** The table's name for each gen_ai.provider.name; those that are not here it calls the same, or does not have. */
const SELLERS: Readonly<Record<string, string>> = {
  'azure.ai.openai': 'azure',
  'azure.ai.inference': 'azure',
  'gcp.gemini': 'google',
  'gcp.vertex_ai': 'google',
  'gcp.gen_ai': 'google',
  'aws.bedrock': 'aws',
  mistral_ai: 'mistral',
  x_ai: 'x-ai',
  together_ai: 'together',
  fireworks_ai: 'fireworks',
  moonshot_ai: 'moonshotai',
  z_ai: 'zai',
};
/** What is not said to be dearer or cheaper. Flex, priority and batch have prices of their own, which the table lacks. */
const STANDARD_TIERS: readonly (string | undefined)[] = [undefined, 'default', 'standard', 'auto', 'on_demand'];
/** A provider that may only be whose API is spoken, where nothing names the seller. */
const SPOKEN_BY_OTHERS = new Set(['openai', 'anthropic', 'gcp.gemini', '_OTHER']);
/** Models that only their maker serves: a call for one ends up there, whatever it goes through. Anybody serves open weights. */
const MADE_AND_SOLD: readonly (readonly [model: RegExp, seller: string])[] = [
  [/^(?:(?:chat)?gpt-\d|o[134](?:-|$)|codex-|text-embedding-(?:3|ada)-)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'google'],
];
/** How proxies name a maker before the model. */
const MAKER = /^(?:openai|anthropic|google|gemini|models)\//;
const MODEL_CHARS = 256;
const TURNS = 65_536;

export function createCosts(counters: Counters): Costs {
  const incomplete = new BoundedMap<string, true>(TURNS);
  const turns = new BoundedMap<string, number>(TURNS, (id) => {
    counters.counted('spans.turn_cost_incomplete');
    incomplete.set(id, true);
  });
  return {
    ofCall({ call, parent_id }, unix_ms) {
      if (Object.keys(call.response?.usage ?? {}).length === 0) return undefined;
      const usd = costOf(call, unix_ms);
      if (usd === undefined) counters.counted('spans.call_unpriced');
      else if (parent_id !== undefined && !incomplete.get(parent_id))
        turns.set(parent_id, (turns.get(parent_id) ?? 0) + usd);
      return usd;
    },
    ofTurn({ id }) {
      const usd = turns.get(id);
      turns.delete(id);
      incomplete.delete(id);
      return usd === undefined ? undefined : rounded(usd);
    },
  };
}

/** The table's names for who is paid, and for what; undefined: nobody, as far as is known. */
function saleOf({ provider, is_seller_unknown }: LlmCall, model: string | undefined) {
  if (model === undefined) return undefined;
  if (is_seller_unknown && SPOKEN_BY_OTHERS.has(provider)) {
    const name = model.replace(MAKER, '');
    const seller = MADE_AND_SOLD.find(([pattern]) => pattern.test(name))?.[1];
    return seller === undefined ? undefined : { seller, name };
  }
  return { seller: Object.hasOwn(SELLERS, provider) ? SELLERS[provider] : provider, name: model };
}

function costOf(call: LlmCall, unix_ms: number): number | undefined {
  const { request, response } = call;
  if (response?.told_cost_usd !== undefined) return rounded(response.told_cost_usd);
  const model = response?.model ?? request.model;
  if (response === undefined || model === undefined || !STANDARD_TIERS.includes(response.service_tier))
    return undefined;
  const { usage } = response;
  const counts = {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_tokens: usage.cache_read_input_tokens,
    cache_write_tokens: usage.cache_creation_input_tokens,
    cache_write_1h_tokens: usage.cache_creation_1h_input_tokens,
    input_audio_tokens: usage.input_audio_tokens,
    output_audio_tokens: usage.output_audio_tokens,
    cache_audio_read_tokens: usage.cache_read_audio_tokens,
    web_searches: usage.web_search_count,
  };
  const timestamp = new Date(unix_ms);
  const priceOf = (model: string | undefined): number | undefined => {
    const sale = saleOf(call, model?.slice(0, MODEL_CHARS));
    const options = { providerId: sale?.seller, timestamp };
    const price = sale && priceTable().calcPrice(counts, sale.name, options);
    return price && pricesAudio(usage, price.model_price) ? price.total_price : undefined;
  };
  try {
    // A server of one's own may answer to the name of a model that it does not have.
    const is_other = response.model !== undefined && saleOf(call, response.model) === undefined;
    const usd = priceOf(response.model) ?? (is_other ? undefined : priceOf(request.model));
    return usd === undefined ? undefined : rounded(usd);
  } catch {
    // Counts that contradict each other have no price: more tokens from the cache than there are, say.
    return undefined;
  }
}

/** Where the table has no price for sound, it would take that of text. */
function pricesAudio(usage: Usage, price: GenAiPrices.ModelPrice): boolean {
  return (
    (usage.input_audio_tokens === undefined || price.input_audio_mtok !== undefined) &&
    (usage.output_audio_tokens === undefined || price.output_audio_mtok !== undefined)
  );
}

/** Sums of binary fractions, without their noise: to a millionth of a cent. */
function rounded(usd: number): number {
  return Number(usd.toFixed(8));
}

let table: typeof GenAiPrices | undefined;

/** Takes 25 ms and 20 MB: only who sees a call pays. */
function priceTable(): typeof GenAiPrices {
  table ??= createRequire(import.meta.url)('@pydantic/genai-prices') as typeof GenAiPrices;
  return table;
}
