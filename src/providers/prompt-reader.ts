import type { LlmResponse, Usage } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { jsonItems } from './json-items.ts';
import { asObject, asObjects, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import { openAiUsage } from './openai-usage.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

/** Where the text is, and why it ends: in the answer itself, or in the first of a list in it. */
const LISTS = ['outputs', 'results', 'generations'];
const TEXTS = ['generation', 'outputText', 'completion', 'generated_text', 'content', 'text', 'response'];
const REASONS = ['stop_reason', 'completionReason', 'finish_reason', 'stop_type'];
const METRICS = 'amazon-bedrock-invocationMetrics';

function firstText(source: unknown, names: readonly string[]): string | undefined {
  return names.map((name) => stringField(source, name)).find((text) => text !== undefined);
}

function firstCount(source: unknown, ...names: readonly string[]): number | undefined {
  return names.map((name) => countField(source, name)).find((count) => count !== undefined);
}

/** As Llama, Titan, llama.cpp and Amazon Bedrock itself count. */
function promptUsage(body: JsonObject, answer: unknown): Usage {
  const metrics = field(body, METRICS);
  return defined<Usage>({
    ...openAiUsage(field(body, 'usage')),
    ...openAiUsage(field(body, 'meta', 'tokens')),
    ...defined<Usage>({
      input_tokens:
        countField(metrics, 'inputTokenCount') ??
        firstCount(body, 'prompt_token_count', 'inputTextTokenCount', 'tokens_evaluated'),
      output_tokens:
        countField(metrics, 'outputTokenCount') ??
        firstCount(body, 'generation_token_count', 'totalOutputTextTokenCount', 'tokens_predicted') ??
        countField(answer, 'tokenCount'),
    }),
  });
}

/** Reads what a model answers that goes on with a prompt, in the shapes of Llama, Mistral, Titan, Cohere and llama.cpp. */
export function createPromptReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  let text = '';
  let id: string | undefined;
  let model: string | undefined;
  let reason: string | undefined;
  let usage: Usage = {};
  let complete = false;

  function add(body: JsonObject): void {
    const error = field(body, 'error');
    if (head.status >= 400) failure.report(body, String(head.status));
    else if (error !== undefined && error !== null) failure.report(body, '_OTHER');
    const list = LISTS.map((name) => asObjects(field(body, name))).find((items) => items.length > 0);
    const answer = list?.[0] ?? body;
    text += stringField(body, 'token', 'text') ?? firstText(answer, TEXTS) ?? '';
    id ??= stringField(body, 'id') ?? stringField(body, 'generation_id');
    model ??= stringField(body, 'model');
    reason = (firstText(answer, REASONS) ?? firstText(body, REASONS))?.toLowerCase() ?? reason;
    usage = { ...usage, ...promptUsage(body, answer) };
    if (field(body, METRICS) !== undefined) complete = true;
  }

  return {
    pushEvent({ data, error_type }) {
      const body = data.trim() === '[DONE]' ? undefined : asObject(failure.parse(data));
      if (error_type !== undefined)
        failure.report({ type: error_type, message: stringField(body, 'message') }, '_OTHER');
      else if (body !== undefined) add(body);
      complete ||= error_type !== undefined || data.trim() === '[DONE]';
    },
    pushBody(body) {
      const { items, malformed } = jsonItems(body.toString('utf8'));
      if (malformed) failure.parse('');
      for (const item of items) add(item);
      complete = !malformed;
    },
    get complete() {
      return complete;
    },
    result() {
      const finish = reason === undefined ? {} : { finish_reason: messageFinishReason(reason) };
      const response = defined<LlmResponse>({
        id,
        model,
        finish_reasons: reason === undefined ? [] : [reason],
        messages: text === '' ? [] : [{ role: 'assistant', parts: [{ type: 'text', content: text }], ...finish }],
        tool_calls: [],
        usage,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
