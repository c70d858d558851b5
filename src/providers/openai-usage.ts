import type { Usage } from '../model/llm-call.ts';
import { asNumber, countField, defined, field } from './json-value.ts';

/**
 * `usage` of Chat Completions (`prompt_tokens`), of Responses and of Realtime (`input_tokens`). All include cached tokens in the
 * input and reasoning in the output, as the GenAI conventions want it.
 */
export function openAiUsage(usage: unknown): Usage {
  const input = detailsOf(usage, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details');
  const output = detailsOf(usage, 'completion_tokens_details', 'output_tokens_details', 'output_token_details');
  return defined<Usage>({
    input_tokens: countField(usage, 'prompt_tokens') ?? countField(usage, 'input_tokens'),
    output_tokens: countField(usage, 'completion_tokens') ?? countField(usage, 'output_tokens'),
    cache_read_input_tokens: countField(input, 'cached_tokens') ?? countField(usage, 'prompt_cache_hit_tokens'),
    cache_creation_input_tokens: countField(input, 'cache_write_tokens'),
    reasoning_output_tokens: countField(output, 'reasoning_tokens'),
    input_audio_tokens: countField(input, 'audio_tokens') || undefined,
    output_audio_tokens: countField(output, 'audio_tokens') || undefined,
    cache_read_audio_tokens: countField(input, 'cached_tokens_details', 'audio_tokens'),
  });
}

function detailsOf(usage: unknown, ...names: readonly string[]): unknown {
  return names.map((name) => field(usage, name)).find((details) => details !== undefined);
}

/** What the call cost, US dollars, where `usage` says it: OpenRouter as a number, Perplexity as a sum and its parts. */
export function toldCost(usage: unknown): number | undefined {
  const cost = asNumber(field(usage, 'cost', 'total_cost')) ?? asNumber(field(usage, 'cost'));
  return cost !== undefined && cost >= 0 ? cost : undefined;
}
