import type { Usage } from '../model/llm-call.ts';
import { asCount, defined } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';

/**
 * `usageMetadata`; the Live API counts a response's tokens under another name. The prompt includes cached tokens, as the GenAI conventions want it; thoughts, and what tools that Google
 * runs add to the prompt, are counted apart, and included here.
 */
export function geminiUsage(usage: unknown): Usage {
  const count = (name: string) => asCount(protoField(usage, name));
  const prompt = count('promptTokenCount');
  const output = count('candidatesTokenCount') ?? count('responseTokenCount');
  const thoughts = count('thoughtsTokenCount');
  return defined<Usage>({
    input_tokens: prompt === undefined ? undefined : prompt + (count('toolUsePromptTokenCount') ?? 0),
    output_tokens: output === undefined && thoughts === undefined ? undefined : (output ?? 0) + (thoughts ?? 0),
    cache_read_input_tokens: count('cachedContentTokenCount'),
    reasoning_output_tokens: thoughts,
    input_audio_tokens: audioTokens(usage, 'promptTokensDetails', 'toolUsePromptTokensDetails') || undefined,
    output_audio_tokens: audioTokens(usage, 'candidatesTokensDetails', 'responseTokensDetails') || undefined,
    cache_read_audio_tokens: audioTokens(usage, 'cacheTokensDetails'),
  });
}

/** Of counts by modality, those of sound; undefined: nothing is counted by modality. */
function audioTokens(usage: unknown, ...names: readonly string[]): number | undefined {
  const details = names.flatMap((name) => protoObjects(usage, name));
  if (details.length === 0) return undefined;
  const audio = details.filter((detail) => protoString(detail, 'modality') === 'AUDIO');
  return audio.reduce((sum, detail) => sum + (asCount(protoField(detail, 'tokenCount')) ?? 0), 0);
}
