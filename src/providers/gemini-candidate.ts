import type { Message, MessagePart, ToolCall } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { geminiPart } from './gemini-content.ts';
import type { JsonObject } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';

const PART_LIMIT = 4096;

/** One candidate of a Gemini response, put together from the pieces of it that the chunks of a stream bring. */
export interface GeminiCandidate {
  /** An item of `candidates`. */
  add(candidate: JsonObject, ktime_ns: bigint): void;
  /** As the API names it, in lower case. */
  readonly finish_reason: string | undefined;
  message(): Message;
  /** Those of functions, which the client has to run. Each comes whole. */
  readonly tool_calls: readonly ToolCall[];
}

export function createGeminiCandidate(): GeminiCandidate {
  const parts: MessagePart[] = [];
  const tool_calls: ToolCall[] = [];
  let finish_reason: string | undefined;

  function add(source: JsonObject, ktime_ns: bigint): void {
    const part = geminiPart(source);
    if (part === undefined) return;
    const last = parts.at(-1);
    if ((part.type === 'text' || part.type === 'reasoning') && last?.type === part.type) {
      parts[parts.length - 1] = { ...last, content: last.content + part.content };
      return;
    }
    if (parts.length >= PART_LIMIT || ('content' in part && part.content === '')) return;
    parts.push(part);
    if (part.type !== 'tool_call' || protoField(source, 'functionCall') === undefined) return;
    tool_calls.push({ id: part.id ?? '', name: part.name, arguments: part.arguments, complete_ns: ktime_ns });
  }

  return {
    add(candidate, ktime_ns) {
      for (const part of protoObjects(protoField(candidate, 'content'), 'parts')) add(part, ktime_ns);
      finish_reason = protoString(candidate, 'finishReason')?.toLowerCase() ?? finish_reason;
    },
    get finish_reason() {
      return finish_reason;
    },
    message() {
      if (finish_reason === undefined) return { role: 'assistant', parts };
      const mapped = messageFinishReason(finish_reason);
      return {
        role: 'assistant',
        parts,
        finish_reason: mapped === 'stop' && tool_calls.length > 0 ? 'tool_call' : mapped,
      };
    },
    tool_calls,
  };
}
