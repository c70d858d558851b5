import type { Usage } from '../model/llm-call.ts';
import { countField, defined, stringField } from './json-value.ts';

/**
 * Folds `usage` objects (of message_start, then of message_delta, whose counts are cumulative) into one. Anthropic
 * counts cached tokens apart; `input_tokens` of the result includes them.
 */
export interface AnthropicUsage {
  add(usage: unknown): void;
  total(): Usage;
  /** The tier of the service that has other prices: `priority`, `batch`, `fast`. */
  readonly service_tier: string | undefined;
}

export function createAnthropicUsage(): AnthropicUsage {
  let uncached: number | undefined;
  let cacheRead: number | undefined;
  let cacheCreation: number | undefined;
  let cacheCreation1h: number | undefined;
  let webSearches: number | undefined;
  let service_tier: string | undefined;
  let output: number | undefined;
  let thinking: number | undefined;
  return {
    add(usage) {
      uncached = countField(usage, 'input_tokens') ?? uncached;
      cacheRead = countField(usage, 'cache_read_input_tokens') ?? cacheRead;
      cacheCreation = countField(usage, 'cache_creation_input_tokens') ?? cacheCreation;
      cacheCreation1h = countField(usage, 'cache_creation', 'ephemeral_1h_input_tokens') ?? cacheCreation1h;
      webSearches = countField(usage, 'server_tool_use', 'web_search_requests') ?? webSearches;
      const speed = stringField(usage, 'speed');
      service_tier = speed === 'fast' ? speed : (stringField(usage, 'service_tier') ?? service_tier);
      output = countField(usage, 'output_tokens') ?? output;
      thinking = countField(usage, 'output_tokens_details', 'thinking_tokens') ?? thinking;
    },
    total: () =>
      defined<Usage>({
        input_tokens: uncached === undefined ? undefined : uncached + (cacheRead ?? 0) + (cacheCreation ?? 0),
        output_tokens: output,
        cache_read_input_tokens: cacheRead,
        cache_creation_input_tokens: cacheCreation,
        cache_creation_1h_input_tokens: cacheCreation1h || undefined,
        reasoning_output_tokens: thinking,
        web_search_count: webSearches || undefined,
      }),
    get service_tier() {
      return service_tier;
    },
  };
}
