import type { LlmResponse, MessagePart, ToolCall, Usage } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { asObject, asObjects, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import { ollamaToolCall } from './ollama-request.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

const TOOL_CALL_LIMIT = 4096;

/** Reads a response of Ollama's own API: one object, or one a line. The last one of a stream says `done`. */
export function createOllamaReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const tool_calls: ToolCall[] = [];
  let model: string | undefined;
  let text = '';
  let reasoning = '';
  let finish_reason: string | undefined;
  let usage: Usage = {};
  let complete = false;

  function add(body: JsonObject, ktime_ns: bigint): void {
    if (stringField(body, 'error') !== undefined) {
      failure.report(body, '_OTHER');
      complete = true;
    }
    model ??= stringField(body, 'model');
    const message = field(body, 'message');
    text += stringField(message, 'content') ?? stringField(body, 'response') ?? '';
    reasoning += stringField(message, 'thinking') ?? stringField(body, 'thinking') ?? '';
    for (const source of asObjects(field(message, 'tool_calls'))) {
      if (tool_calls.length >= TOOL_CALL_LIMIT) break;
      const call = ollamaToolCall(source);
      tool_calls.push({ ...call, id: call.id ?? '', complete_ns: ktime_ns });
    }
    const input_tokens = countField(body, 'prompt_eval_count');
    usage = { ...usage, ...defined<Usage>({ input_tokens, output_tokens: countField(body, 'eval_count') }) };
    if (field(body, 'done') !== true) return;
    finish_reason = stringField(body, 'done_reason');
    complete = true;
  }

  return {
    pushEvent({ data }, ktime_ns) {
      const body = asObject(failure.parse(data));
      if (body !== undefined) add(body, ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const { items } = failure.parseItems(body.toString('utf8'));
      for (const item of items) add(item, ktime_ns);
      // Embeddings are not said to be done.
      if (items.some((item) => Object.hasOwn(item, 'embeddings') || Object.hasOwn(item, 'embedding'))) complete = true;
    },
    get complete() {
      return complete;
    },
    result() {
      const parts: MessagePart[] = [];
      if (reasoning !== '') parts.push({ type: 'reasoning', content: reasoning });
      if (text !== '') parts.push({ type: 'text', content: text });
      for (const { id, name, arguments: args } of tool_calls) {
        parts.push({ type: 'tool_call', id: id || null, name, arguments: args });
      }
      const mapped = finish_reason === undefined ? undefined : messageFinishReason(finish_reason);
      const told = mapped === 'stop' && tool_calls.length > 0 ? 'tool_call' : mapped;
      const finish = told === undefined ? {} : { finish_reason: told };
      const response = defined<LlmResponse>({
        model,
        finish_reasons: finish_reason === undefined ? [] : [finish_reason],
        messages: parts.length === 0 ? [] : [{ role: 'assistant', parts, ...finish }],
        tool_calls,
        usage,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
