import type { LlmRequest, LlmResponse, Usage } from '../model/llm-call.ts';
import { type ChatChoice, createChatChoice } from './chat-choice.ts';
import { asObject, asObjects, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import { openAiResponseAttributes } from './openai-parameters.ts';
import { openAiUsage, toldCost } from './openai-usage.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

const CHOICE_LIMIT = 256;

/** Reads a Chat Completions, a text completion or an embeddings response, streamed or whole. */
export function createChatReader(request: LlmRequest, head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const choices = new Map<number, ChatChoice>();
  let id: string | undefined;
  let model: string | undefined;
  let usage: Usage = {};
  let service_tier: string | undefined;
  let told_cost_usd: number | undefined;
  let attributes: LlmResponse['attributes'] = {};
  let complete = false;

  function choiceAt(index: number): ChatChoice | undefined {
    const known = choices.get(index);
    if (known !== undefined || choices.size >= CHOICE_LIMIT) return known;
    const created = createChatChoice();
    choices.set(index, created);
    return created;
  }

  function addUsage(value: unknown): void {
    if (asObject(value) !== undefined) usage = { ...usage, ...openAiUsage(value) };
  }

  function add(body: JsonObject, ktime_ns: bigint): void {
    const error = field(body, 'error');
    if (error !== undefined && error !== null) failure.report(body, '_OTHER');
    else if (head.status >= 400) failure.report(body, String(head.status));
    id ??= stringField(body, 'id');
    model ||= stringField(body, 'model');
    service_tier = stringField(body, 'service_tier') ?? service_tier;
    attributes = { ...attributes, ...openAiResponseAttributes(request, body) };
    addUsage(field(body, 'x_groq', 'usage'));
    for (const [position, choice] of asObjects(field(body, 'choices')).entries()) {
      addUsage(field(choice, 'usage'));
      choiceAt(countField(choice, 'index') ?? position)?.add(choice, ktime_ns);
    }
    addUsage(field(body, 'usage'));
    told_cost_usd = toldCost(field(body, 'usage')) ?? told_cost_usd;
  }

  function end(ktime_ns: bigint): void {
    complete = true;
    for (const choice of choices.values()) choice.close(ktime_ns);
  }

  return {
    pushEvent({ event, data }, ktime_ns) {
      if (data.trim() === '[DONE]') return end(ktime_ns);
      const body = failure.parse(data);
      const object = asObject(body);
      if (event === 'error') failure.report(body, '_OTHER');
      else if (object !== undefined) add(object, ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const value = failure.parse(body.toString('utf8'));
      if (value === undefined) return;
      const object = asObject(value);
      if (object !== undefined) add(object, ktime_ns);
      end(ktime_ns);
    },
    get complete() {
      return complete;
    },
    result() {
      const ordered = [...choices].sort(([a], [b]) => a - b).map(([, choice]) => choice);
      const response = defined<LlmResponse>({
        id,
        model: model || undefined,
        finish_reasons: ordered.flatMap((choice) => choice.finish_reason ?? []),
        messages: ordered.map((choice) => choice.message()),
        tool_calls: ordered.flatMap((choice) => choice.toolCalls()),
        usage,
        service_tier,
        told_cost_usd,
        attributes,
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
