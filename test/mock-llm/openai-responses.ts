import { type Api, defaultUsage, deltasOf, lastQuestion, type ServerSentEvent, turnText } from './scenario.ts';

interface InputItem {
  type?: string;
  role?: string;
  content?: unknown;
}

const fromModel = (item: InputItem) =>
  item.role === 'assistant' || item.type === 'function_call' || item.type === 'reasoning';

/** What an output item lacks when it is announced. */
const emptyOf: Readonly<Record<string, object>> = {
  reasoning: { summary: [] },
  message: { status: 'in_progress', content: [] },
  function_call: { status: 'in_progress', arguments: '' },
};

/** OpenAI Responses. Ids of answers carry their turn, so that `previous_response_id` needs no memory. */
export const openaiResponses: Api = {
  path: '/v1/responses',

  read(json) {
    const input: InputItem[] = Array.isArray(json.input) ? json.input : [{ role: 'user', content: json.input }];
    const before = /^resp_(-?\d+)_/.exec(String(json.previous_response_id ?? ''));
    const answers = input.filter((item, index) => fromModel(item) && !fromModel(input[index - 1] ?? {})).length;
    return {
      json,
      model: String(json.model),
      stream: json.stream === true,
      turn: answers + (before === null ? 0 : Number(before[1]) + 1),
      prompt: lastQuestion(input),
    };
  },

  answer(request, turn, number) {
    const id = `resp_${request.turn}_${number}`;
    const usage = turn.usage ?? defaultUsage;
    const text = turnText(turn, request);
    const output: Record<string, unknown>[] = [];
    if (turn.reasoning !== undefined) {
      output.push({ id: `rs_${number}`, type: 'reasoning', summary: [{ type: 'summary_text', text: turn.reasoning }] });
    }
    if (text !== '') {
      output.push({
        id: `msg_${number}`,
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text, annotations: [] }],
      });
    }
    for (const [index, call] of (turn.calls ?? []).entries()) {
      output.push({
        id: `fc_${number}_${index}`,
        type: 'function_call',
        status: 'completed',
        call_id: `call_${number}_${index}`,
        name: call.name,
        arguments: JSON.stringify(call.arguments),
      });
    }
    const response = (status: string, rest: object) => ({
      id,
      object: 'response',
      created_at: 1_760_000_000,
      status,
      error: null,
      model: request.model,
      previous_response_id: request.json.previous_response_id ?? null,
      tools: request.json.tools ?? [],
      ...rest,
    });
    const body = response('completed', {
      output,
      usage: {
        input_tokens: usage.input_tokens,
        input_tokens_details: { cached_tokens: usage.cache_read_tokens ?? 0 },
        output_tokens: usage.output_tokens,
        output_tokens_details: { reasoning_tokens: usage.reasoning_tokens ?? 0 },
        total_tokens: usage.input_tokens + usage.output_tokens,
      },
    });

    const events: ServerSentEvent[] = [];
    const say = (type: string, fields: object) => {
      events.push({ event: type, data: JSON.stringify({ type, sequence_number: events.length, ...fields }) });
    };
    say('response.created', { response: response('in_progress', { output: [], usage: null }) });
    for (const [output_index, item] of output.entries()) {
      const at = { item_id: item.id, output_index };
      say('response.output_item.added', {
        output_index,
        item: { ...item, ...emptyOf[String(item.type)] },
      });
      if (item.type === 'reasoning') {
        const part = { type: 'summary_text', text: '' };
        say('response.reasoning_summary_part.added', { ...at, summary_index: 0, part });
        for (const delta of deltasOf(turn.reasoning ?? '')) {
          say('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta });
        }
        say('response.reasoning_summary_text.done', { ...at, summary_index: 0, text: turn.reasoning });
        say('response.reasoning_summary_part.done', {
          ...at,
          summary_index: 0,
          part: { ...part, text: turn.reasoning },
        });
      } else if (item.type === 'message') {
        const part = { type: 'output_text', text: '', annotations: [] };
        say('response.content_part.added', { ...at, content_index: 0, part });
        for (const delta of deltasOf(text)) say('response.output_text.delta', { ...at, content_index: 0, delta });
        say('response.output_text.done', { ...at, content_index: 0, text });
        say('response.content_part.done', { ...at, content_index: 0, part: { ...part, text } });
      } else {
        for (const delta of deltasOf(String(item.arguments))) {
          say('response.function_call_arguments.delta', { ...at, delta });
        }
        say('response.function_call_arguments.done', { ...at, arguments: item.arguments });
      }
      say('response.output_item.done', { output_index, item });
    }
    say('response.completed', { response: body });
    const error = { type: 'error', code: 'server_error', message: 'mock failure', param: null };
    return { id, body, events, error_event: { event: 'error', data: JSON.stringify(error) } };
  },

  errorBody: ({ type, message }) => ({ error: { message, type, param: null, code: type } }),
};
