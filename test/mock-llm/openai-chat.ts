import { type Api, defaultUsage, deltasOf, lastQuestion, type ServerSentEvent, turnText } from './scenario.ts';

interface ChatMessage {
  role: string;
  content?: unknown;
}

/** OpenAI Chat Completions, as its API reference describes it. */
export const openaiChat: Api = {
  path: '/v1/chat/completions',

  read(json) {
    const messages = (json.messages ?? []) as ChatMessage[];
    return {
      json,
      model: String(json.model),
      stream: json.stream === true,
      turn: messages.filter((message) => message.role === 'assistant').length,
      prompt: lastQuestion(messages),
    };
  },

  answer(request, turn, number) {
    const id = `chatcmpl-${number}`;
    const usage = turn.usage ?? defaultUsage;
    const text = turnText(turn, request);
    const calls = (turn.calls ?? []).map((call, index) => ({
      id: `call_${number}_${index}`,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }));
    const finish_reason = calls.length > 0 ? 'tool_calls' : 'stop';
    const wireUsage = {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      total_tokens: usage.input_tokens + usage.output_tokens,
      prompt_tokens_details: { cached_tokens: usage.cache_read_tokens ?? 0 },
      completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? 0 },
    };
    const head = { id, created: 1_760_000_000, model: request.model, system_fingerprint: 'fp_mock' };
    const chunk = (choices: unknown[], rest: object = {}): ServerSentEvent => ({
      data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...rest }),
    });
    const delta = (value: object, reason: string | null = null) =>
      chunk([{ index: 0, delta: value, logprobs: null, finish_reason: reason }]);

    const events = [delta({ role: 'assistant', content: '', refusal: null })];
    for (const piece of deltasOf(text)) events.push(delta({ content: piece }));
    for (const [index, call] of calls.entries()) {
      events.push(delta({ tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: '' } }] }));
      for (const piece of deltasOf(call.function.arguments)) {
        events.push(delta({ tool_calls: [{ index, function: { arguments: piece } }] }));
      }
    }
    events.push(delta({}, finish_reason));
    const options = request.json.stream_options as { include_usage?: boolean } | undefined;
    if (options?.include_usage === true) events.push(chunk([], { usage: wireUsage }));
    events.push({ data: '[DONE]' });

    const message = { role: 'assistant', content: text === '' ? null : text, refusal: null };
    return {
      id,
      events,
      body: {
        ...head,
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: calls.length > 0 ? { ...message, tool_calls: calls } : message,
            logprobs: null,
            finish_reason,
          },
        ],
        usage: wireUsage,
      },
      error_event: { data: JSON.stringify(openaiChat.errorBody({ type: 'server_error', message: 'mock failure' })) },
    };
  },

  errorBody: ({ type, message }) => ({ error: { message, type, param: null, code: type } }),
};
