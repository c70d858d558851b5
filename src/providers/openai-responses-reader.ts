import type { LlmRequest, LlmResponse, MessagePart, ToolCall, Usage } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { asObject, asObjects, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import { openAiResponseAttributes } from './openai-parameters.ts';
import { itemMessages, itemToolCall } from './openai-responses-item.ts';
import { openAiUsage, toldCost } from './openai-usage.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

const ITEM_LIMIT = 4096;

/** An item of the output: as it was announced, what deltas have added, and its final form. */
interface OutputItem {
  item: JsonObject;
  text: string;
  reasoning: string;
  input: string;
  done_ns: bigint | undefined;
}

const DELTAS: Readonly<Record<string, 'text' | 'reasoning' | 'input'>> = {
  'response.output_text.delta': 'text',
  'response.refusal.delta': 'text',
  'response.reasoning_text.delta': 'reasoning',
  'response.reasoning_summary_text.delta': 'reasoning',
  'response.function_call_arguments.delta': 'input',
  'response.custom_tool_call_input.delta': 'input',
};

/** An item whose end has not come: as far as the deltas went. */
function partialItem({ item, text, reasoning, input }: OutputItem): JsonObject {
  switch (stringField(item, 'type')) {
    case 'message':
      return text === '' ? item : { ...item, content: [{ type: 'output_text', text }] };
    case 'reasoning':
      return reasoning === '' ? item : { ...item, summary: [{ type: 'summary_text', text: reasoning }], content: [] };
    case 'function_call':
      return input === '' ? item : { ...item, arguments: input };
    case 'custom_tool_call':
      return input === '' ? item : { ...item, input };
    default:
      return item;
  }
}

export interface ResponsesReader extends ResponseReader {
  /** The event of a stream, parsed. */
  addEvent(event: JsonObject, type: string, ktime_ns: bigint): void;
  /** The id of the response, once it has begun. */
  readonly id: string | undefined;
}

/** A search of the web, which has a price; to open what was found has none. */
function isSearch(item: JsonObject): boolean {
  return stringField(item, 'type') === 'web_search_call' && stringField(item, 'action', 'type') === 'search';
}

/** Reads a Responses API response, streamed or whole. */
export function createResponsesReader(request: LlmRequest, head: HttpResponseHead): ResponsesReader {
  const failure = createResponseFailure(head);
  const items = new Map<number, OutputItem>();
  let id: string | undefined;
  let model: string | undefined;
  let status: string | undefined;
  let incompleteReason: string | undefined;
  let conversation: string | undefined;
  let usage: Usage = {};
  let service_tier: string | undefined;
  let told_cost_usd: number | undefined;
  let attributes: LlmResponse['attributes'] = {};
  let complete = false;

  function itemAt(index: number, item: JsonObject): OutputItem | undefined {
    const known = items.get(index);
    if (known !== undefined || items.size >= ITEM_LIMIT) return known;
    const created: OutputItem = { item, text: '', reasoning: '', input: '', done_ns: undefined };
    items.set(index, created);
    return created;
  }

  function finishItem(index: number, item: JsonObject, ktime_ns: bigint): void {
    const known = itemAt(index, item);
    if (known === undefined) return;
    known.item = item;
    known.done_ns ??= ktime_ns;
  }

  /** The response object, as the first and the last events of a stream carry it. */
  function addResponse(response: unknown, ktime_ns: bigint, last: boolean): void {
    id = stringField(response, 'id') ?? id;
    model = stringField(response, 'model') ?? model;
    status = stringField(response, 'status') ?? status;
    service_tier = stringField(response, 'service_tier') ?? service_tier;
    conversation = stringField(response, 'conversation', 'id') ?? stringField(response, 'conversation') ?? conversation;
    attributes = { ...attributes, ...openAiResponseAttributes(request, response) };
    const counted = field(response, 'usage');
    if (asObject(counted) !== undefined) usage = openAiUsage(counted);
    told_cost_usd = toldCost(counted) ?? told_cost_usd;
    if (!last) return;
    incompleteReason = stringField(response, 'incomplete_details', 'reason');
    const error = field(response, 'error');
    if (status === 'failed' || asObject(error) !== undefined) {
      // `code` is what tells these errors apart.
      failure.report(asObject(error) === undefined ? {} : { error }, 'response_failed');
    }
    for (const [index, item] of asObjects(field(response, 'output')).entries()) finishItem(index, item, ktime_ns);
    complete = true;
  }

  function addEvent(body: JsonObject, type: string, ktime_ns: bigint): void {
    const index = countField(body, 'output_index') ?? 0;
    const item = asObject(field(body, 'item'));
    const delta = Object.hasOwn(DELTAS, type) ? DELTAS[type] : undefined;
    if (delta !== undefined) {
      const kind = { text: 'message', reasoning: 'reasoning', input: 'function_call' }[delta];
      const known = itemAt(index, { type: kind, role: 'assistant' });
      if (known !== undefined) known[delta] += stringField(body, 'delta') ?? '';
    } else if (type === 'response.output_item.added' && item !== undefined) itemAt(index, item);
    else if (type === 'response.output_item.done' && item !== undefined) finishItem(index, item, ktime_ns);
    else if (type === 'response.created' || type === 'response.in_progress' || type === 'response.queued') {
      addResponse(field(body, 'response'), ktime_ns, false);
    } else if (/^response\.(?:completed|failed|incomplete|cancelled)$/.test(type)) {
      addResponse(field(body, 'response'), ktime_ns, true);
    } else if (type === 'error') {
      const nested = asObject(field(body, 'error'));
      const code = stringField(body, 'code');
      failure.report(nested === undefined ? { type: code, message: field(body, 'message') } : body, '_OTHER');
      complete = true;
    }
  }

  function finishReason(calls: readonly ToolCall[]): string | undefined {
    if (status === 'incomplete') return messageFinishReason(incompleteReason ?? 'length');
    if (status === 'completed') return calls.length > 0 ? 'tool_call' : 'stop';
    return status === 'failed' || status === 'cancelled' ? 'error' : undefined;
  }

  return {
    addEvent,
    get id() {
      return id;
    },
    pushEvent({ event, data }, ktime_ns) {
      if (data.trim() === '[DONE]') {
        complete = true;
        return;
      }
      const body = asObject(failure.parse(data));
      if (body !== undefined) addEvent(body, stringField(body, 'type') ?? event ?? '', ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const object = asObject(failure.parse(body.toString('utf8')));
      if (object === undefined) return;
      if (head.status >= 400) failure.report(object, String(head.status));
      else addResponse(object, ktime_ns, true);
    },
    get complete() {
      return complete;
    },
    result() {
      const ordered = [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
      const calls = ordered.flatMap(({ item, done_ns }) =>
        done_ns === undefined ? [] : (itemToolCall(item, done_ns) ?? []),
      );
      const searches = ordered.filter(({ item }) => isSearch(item)).length;
      const whole = ordered.map((entry) => (entry.done_ns === undefined ? partialItem(entry) : entry.item));
      const parts = itemMessages(whole).flatMap((message): readonly MessagePart[] => message.parts);
      const reason = finishReason(calls);
      const finish = reason === undefined ? {} : { finish_reason: reason };
      const response = defined<LlmResponse>({
        id,
        model,
        finish_reasons: reason === undefined ? [] : [reason],
        messages: parts.length === 0 ? [] : [{ role: 'assistant', parts, ...finish }],
        tool_calls: calls,
        usage: searches === 0 ? usage : { ...usage, web_search_count: searches },
        service_tier,
        told_cost_usd,
        conversation_id: conversation,
        attributes,
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
