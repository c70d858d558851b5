import { type Api, defaultUsage, deltasOf, lastQuestion, turnText } from './scenario.ts';

/** Ollama's own chat API, as its documentation describes it: a stream is one JSON object a line, and the default. */
export const ollamaChat: Api = {
  path: '/api/chat',
  stream_type: 'application/x-ndjson',
  encodeEvent: ({ data }) => `${data}\n`,

  read(json) {
    const messages = (json.messages ?? []) as { role: string; content?: unknown }[];
    return {
      json,
      model: String(json.model),
      stream: json.stream !== false,
      turn: messages.filter((message) => message.role === 'assistant').length,
      prompt: lastQuestion(messages),
    };
  },

  answer(request, turn, number) {
    const usage = turn.usage ?? defaultUsage;
    const text = turnText(turn, request);
    const head = { model: request.model, created_at: '2025-10-09T08:53:20.000000Z' };
    const message = { role: 'assistant', content: text };
    const tool_calls = (turn.calls ?? []).map(({ name, arguments: args }) => ({ function: { name, arguments: args } }));
    const called =
      tool_calls.length === 0
        ? []
        : [{ data: JSON.stringify({ ...head, message: { ...message, content: '', tool_calls }, done: false }) }];
    const last = {
      done_reason: 'stop',
      done: true,
      total_duration: 5_000_000,
      prompt_eval_count: usage.input_tokens,
      eval_count: usage.output_tokens,
    };
    const pieces = deltasOf(text).map((content) => ({
      data: JSON.stringify({ ...head, message: { ...message, content }, done: false }),
    }));
    return {
      id: `ollama-${number}`,
      events: [
        ...pieces,
        ...called,
        { data: JSON.stringify({ ...head, message: { ...message, content: '' }, ...last }) },
      ],
      body: { ...head, message: { ...message, ...(tool_calls.length > 0 && { tool_calls }) }, ...last },
      error_event: { data: JSON.stringify({ error: 'mock failure' }) },
    };
  },

  errorBody: ({ message }) => ({ error: message }),
};
