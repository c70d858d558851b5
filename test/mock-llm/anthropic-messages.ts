import { type Api, defaultUsage, deltasOf, lastQuestion, type ServerSentEvent, turnText } from './scenario.ts';

interface AnthropicMessage {
  role: string;
  content: unknown;
}

/** Anthropic Messages, as its API reference describes it. `input_tokens` on the wire excludes cached ones. */
export const anthropicMessages: Api = {
  path: '/v1/messages',

  read(json) {
    const messages = (json.messages ?? []) as AnthropicMessage[];
    return {
      json,
      model: String(json.model),
      stream: json.stream === true,
      turn: messages.filter((message) => message.role === 'assistant').length,
      prompt: lastQuestion(messages),
    };
  },

  answer(request, turn, number) {
    const id = `msg_${number}`;
    const usage = turn.usage ?? defaultUsage;
    const cached = { read: usage.cache_read_tokens ?? 0, creation: usage.cache_creation_tokens ?? 0 };
    const text = turnText(turn, request);
    const content: Record<string, unknown>[] = [];
    if (turn.reasoning !== undefined) {
      content.push({ type: 'thinking', thinking: turn.reasoning, signature: 'bW9jaw==' });
    }
    if (text !== '') content.push({ type: 'text', text });
    for (const [index, call] of (turn.calls ?? []).entries()) {
      content.push({ type: 'tool_use', id: `toolu_${number}_${index}`, name: call.name, input: call.arguments });
    }
    const stop_reason = (turn.calls ?? []).length > 0 ? 'tool_use' : 'end_turn';
    const inputUsage = {
      input_tokens: usage.input_tokens - cached.read - cached.creation,
      cache_read_input_tokens: cached.read,
      cache_creation_input_tokens: cached.creation,
    };
    const head = { id, type: 'message', role: 'assistant', model: request.model };

    const events: ServerSentEvent[] = [];
    const say = (type: string, fields: object = {}) => {
      events.push({ event: type, data: JSON.stringify({ type, ...fields }) });
    };
    say('message_start', {
      message: {
        ...head,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...inputUsage, output_tokens: 1 },
      },
    });
    say('ping');
    for (const [index, block] of content.entries()) {
      const start =
        block.type === 'thinking'
          ? { type: 'thinking', thinking: '', signature: '' }
          : block.type === 'text'
            ? { type: 'text', text: '' }
            : { ...block, input: {} };
      say('content_block_start', { index, content_block: start });
      const delta = (value: object) => say('content_block_delta', { index, delta: value });
      if (block.type === 'thinking') {
        for (const piece of deltasOf(turn.reasoning ?? '')) delta({ type: 'thinking_delta', thinking: piece });
        delta({ type: 'signature_delta', signature: block.signature });
      } else if (block.type === 'text') {
        for (const piece of deltasOf(text)) delta({ type: 'text_delta', text: piece });
      } else {
        for (const piece of deltasOf(JSON.stringify(block.input))) {
          delta({ type: 'input_json_delta', partial_json: piece });
        }
      }
      say('content_block_stop', { index });
    }
    say('message_delta', {
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    });
    say('message_stop');
    return {
      id,
      events,
      body: {
        ...head,
        content,
        stop_reason,
        stop_sequence: null,
        usage: { ...inputUsage, output_tokens: usage.output_tokens },
      },
      error_event: {
        event: 'error',
        data: JSON.stringify(anthropicMessages.errorBody({ type: 'overloaded_error', message: 'Overloaded' })),
      },
    };
  },

  errorBody: (error) => ({ type: 'error', error }),
};
