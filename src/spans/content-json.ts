import type { LlmCall, Message } from '../model/llm-call.ts';

/** JSON of a value; undefined where it has none, or is too deep or too long for one. */
function contentJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** A text as it is, everything else as JSON. */
export function contentText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : contentJson(value);
}

/** JSON of a list (gen-ai-input-messages.json and its kin); undefined when the list is empty. */
export function contentList(values: readonly unknown[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : contentJson(values);
}

/** gen-ai-output-messages.json wants a finish reason on every message: that of its choice, or `error` where it was cut. */
export function outputMessages(call: LlmCall | undefined): string | undefined {
  const reasons = call?.response?.finish_reasons ?? [];
  return contentList(
    call?.response?.messages.map((message, index) => ({
      ...message,
      finish_reason: message.finish_reason ?? reasons[index] ?? (call.error === undefined ? 'stop' : 'error'),
    })),
  );
}

/** What is new in a request: the messages after the model's last answer. */
export function newMessages(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1);
}
