import type { Usage } from '../model/llm-call.ts';
import { countField, defined } from './json-value.ts';

/**
 * Folds `usage` objects (of message_start, then of message_delta, whose counts are cumulative) into one. Anthropic
 * counts cached tokens apart; `input_tokens` of the result includes them.
 */
export interface AnthropicUsage {
  add(usage: unknown): void;
  total(): Usage;
}

export function createAnthropicUsage(): AnthropicUsage {
  let uncached: number | undefined;
  let cacheRead: number | undefined;
  let cacheCreation: number | undefined;
  let output: number | undefined;
  let thinking: number | undefined;
  return {
    add(usage) {
      uncached = countField(usage, 'input_tokens') ?? uncached;
      cacheRead = countField(usage, 'cache_read_input_tokens') ?? cacheRead;
      cacheCreation = countField(usage, 'cache_creation_input_tokens') ?? cacheCreation;
      output = countField(usage, 'output_tokens') ?? output;
      thinking = countField(usage, 'output_tokens_details', 'thinking_tokens') ?? thinking;
    },
    total: () =>
      defined<Usage>({
        input_tokens: uncached === undefined ? undefined : uncached + (cacheRead ?? 0) + (cacheCreation ?? 0),
        output_tokens: output,
        cache_read_input_tokens: cacheRead,
        cache_creation_input_tokens: cacheCreation,
        reasoning_output_tokens: thinking,
      }),
  };
}
