import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAiUsage } from '../../src/providers/openai-usage.ts';

test('the usage of Chat Completions and of Realtime tells how many of the tokens are sound', () => {
  const none = { completion_tokens_details: { audio_tokens: 0 } };
  assert.deepEqual(openAiUsage({ prompt_tokens: 5, prompt_tokens_details: { audio_tokens: 4 }, ...none }), {
    input_tokens: 5,
    input_audio_tokens: 4,
  });
  const input_token_details = { cached_tokens: 3, audio_tokens: 5, cached_tokens_details: { audio_tokens: 2 } };
  assert.deepEqual(openAiUsage({ input_tokens: 9, input_token_details, output_token_details: { audio_tokens: 1 } }), {
    input_tokens: 9,
    cache_read_input_tokens: 3,
    input_audio_tokens: 5,
    output_audio_tokens: 1,
    cache_read_audio_tokens: 2,
  });
});
