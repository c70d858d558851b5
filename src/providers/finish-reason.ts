const FINISH_REASONS: Readonly<Record<string, string>> = {
  stop: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  completed: 'stop',
  eos: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_context_window_exceeded: 'length',
  content_filter: 'content_filter',
  refusal: 'content_filter',
  safety: 'content_filter',
  recitation: 'content_filter',
  blocklist: 'content_filter',
  prohibited_content: 'content_filter',
  spii: 'content_filter',
  model_armor: 'content_filter',
  jailbreak: 'content_filter',
  image_safety: 'content_filter',
  image_prohibited_content: 'content_filter',
  image_recitation: 'content_filter',
  tool_call: 'tool_call',
  tool_calls: 'tool_call',
  tool_use: 'tool_call',
  function_call: 'tool_call',
  error: 'error',
  failed: 'error',
  malformed_function_call: 'error',
  malformed_response: 'error',
  unexpected_tool_call: 'error',
  too_many_tool_calls: 'error',
  missing_thought_signature: 'error',
};

/** A provider's reason as the FinishReason of gen-ai-output-messages.json names it; unknown ones stay as they are. */
export function messageFinishReason(reason: string): string {
  return Object.hasOwn(FINISH_REASONS, reason) ? (FINISH_REASONS[reason] ?? reason) : reason;
}
