import type { LlmResponse, Usage } from '../model/llm-call.ts';
import { createChatChoice } from './chat-choice.ts';
import { asObject, asObjects, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

function cohereUsage(usage: unknown): Usage {
  const tokens = field(usage, 'tokens') ?? field(usage, 'billed_units');
  return defined<Usage>({
    input_tokens: countField(tokens, 'input_tokens'),
    output_tokens: countField(tokens, 'output_tokens'),
    cache_read_input_tokens: countField(usage, 'cached_tokens'),
  });
}

/** `message` as Chat Completions would have it: content as one text, and the plan and thoughts apart. */
function asChatMessage(message: JsonObject): JsonObject {
  const content = field(message, 'content');
  const blocks = asObject(content) === undefined ? asObjects(content) : [content as JsonObject];
  const joined = (name: string) => blocks.map((block) => stringField(block, name) ?? '').join('');
  const thoughts = (stringField(message, 'tool_plan') ?? '') + joined('thinking');
  const calls = field(message, 'tool_calls');
  return {
    content: typeof content === 'string' ? content : joined('text'),
    reasoning: thoughts,
    tool_calls: Array.isArray(calls) ? calls : calls === undefined ? [] : [calls],
  };
}

/** Reads a response of Cohere's Chat API (v2), streamed or whole. */
export function createCohereReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const choice = createChatChoice();
  let id: string | undefined;
  let usage: Usage = {};
  let reason: string | undefined;
  let complete = false;

  function end(source: unknown, ktime_ns: bigint): void {
    reason = stringField(source, 'finish_reason')?.toLowerCase() ?? reason;
    usage = { ...usage, ...cohereUsage(field(source, 'usage')) };
    choice.add({ finish_reason: reason, delta: {} }, ktime_ns);
    choice.close(ktime_ns);
    complete = true;
  }

  return {
    pushEvent({ event, data }, ktime_ns) {
      if (data.trim() === '[DONE]') return;
      const body = asObject(failure.parse(data));
      const type = stringField(body, 'type') ?? event;
      id ??= stringField(body, 'id');
      const message = asObject(field(body, 'delta', 'message'));
      const index = countField(body, 'index') ?? 0;
      if (message !== undefined) {
        const { tool_calls, ...rest } = asChatMessage(message);
        const calls = asObjects(tool_calls).map((call) => ({ ...call, index }));
        choice.add({ delta: { ...rest, tool_calls: calls } }, ktime_ns);
      }
      if (type === 'message-end') end(field(body, 'delta'), ktime_ns);
      if (field(body, 'delta', 'error') !== undefined) {
        failure.report({ message: stringField(body, 'delta', 'error') }, '_OTHER');
      }
    },
    pushBody(data, ktime_ns) {
      const body = asObject(failure.parse(data.toString('utf8')));
      if (body === undefined) return;
      if (head.status >= 400) failure.report(body, String(head.status));
      id = stringField(body, 'id');
      const message = asObject(field(body, 'message'));
      if (message !== undefined) choice.add({ message: asChatMessage(message) }, ktime_ns);
      end(body, ktime_ns);
    },
    get complete() {
      return complete;
    },
    result() {
      const message = choice.message();
      const response = defined<LlmResponse>({
        id,
        finish_reasons: reason === undefined ? [] : [reason],
        messages: message.parts.length === 0 ? [] : [message],
        tool_calls: choice.toolCalls(),
        usage,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
