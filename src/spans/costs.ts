import { createRequire } from 'node:module';
import type * as GenAiPrices from '@pydantic/genai-prices';
import type { Counters } from '../health/counters.ts';
import type { AgentActivity, ChatActivity } from '../model/activity.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { LlmCall } from '../model/llm-call.ts';

/** What calls cost in US dollars: as their provider says, else at the list prices of their day, from a table in the package. */
export interface Costs {
  /** undefined: it used nothing, or its price is not known (counted as `spans.call_unpriced`). `unix_ms`: when it ended. */
  ofCall(activity: ChatActivity, unix_ms: number): number | undefined;
  /** The sum over the calls of a turn whose price is known; undefined when there is none. */
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
const MODEL_CHARS = 256;
const TURNS = 65_536;

export function createCosts(counters: Counters): Costs {
  const turns = new BoundedMap<string, number>(TURNS);
  return {
    ofCall({ call, parent_id }, unix_ms) {
      if (Object.keys(call.response?.usage ?? {}).length === 0) return undefined;
      const usd = costOf(call, unix_ms);
      if (usd === undefined) counters.counted('spans.call_unpriced');
      else if (parent_id !== undefined) turns.set(parent_id, (turns.get(parent_id) ?? 0) + usd);
      return usd;
    },
    ofTurn({ id }) {
      const usd = turns.get(id);
      turns.delete(id);
      return usd === undefined ? undefined : rounded(usd);
    },
  };
}

function costOf({ provider, request, response }: LlmCall, unix_ms: number): number | undefined {
  if (response?.told_cost_usd !== undefined) return rounded(response.told_cost_usd);
  const model = response?.model ?? request.model;
  if (response === undefined || model === undefined || !STANDARD_TIERS.includes(response.service_tier))
    return undefined;
  const { usage } = response;
  const providerId = Object.hasOwn(SELLERS, provider) ? SELLERS[provider] : provider;
  const counts = {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_tokens: usage.cache_read_input_tokens,
    cache_write_tokens: usage.cache_creation_input_tokens,
    cache_write_1h_tokens: usage.cache_creation_1h_input_tokens,
    web_searches: usage.web_search_count,
  };
  const options = { providerId, timestamp: new Date(unix_ms) };
  const priceOf = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : priceTable().calcPrice(counts, name.slice(0, MODEL_CHARS), options)?.total_price;
  try {
    const usd = priceOf(response.model) ?? priceOf(request.model);
    return usd === undefined ? undefined : rounded(usd);
  } catch {
    // Counts that contradict each other have no price: more tokens from the cache than there are, say.
    return undefined;
  }
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
