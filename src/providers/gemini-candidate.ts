import type { Message, MessagePart, ToolCall } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { geminiPart } from './gemini-content.ts';
import { addPartialArg } from './gemini-partial-args.ts';
import { asObject, field, type JsonObject, stringField } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';

const PART_LIMIT = 4096;

/** One candidate of a Gemini response, put together from the pieces of it that the chunks of a stream bring. */
export interface GeminiCandidate {
  /** An item of `candidates`. */
  add(candidate: JsonObject, ktime_ns: bigint): void;
  /** As the API names it, in lower case. */
  readonly finish_reason: string | undefined;
  message(): Message;
  /** Those of functions, which the client has to run, as far as they are complete. */
  readonly tool_calls: readonly ToolCall[];
}

type ToolCallPart = MessagePart & { readonly type: 'tool_call' };

export function createGeminiCandidate(): GeminiCandidate {
  const parts: MessagePart[] = [];
  const tool_calls: ToolCall[] = [];
  /** A call whose arguments come one by one. */
  let open: { readonly part: ToolCallPart; readonly args: Record<string, unknown> } | undefined;
  let finish_reason: string | undefined;

  function addCall({ id, name, arguments: args }: ToolCallPart, ktime_ns: bigint): void {
    tool_calls.push({ id: id ?? '', name, arguments: args, complete_ns: ktime_ns });
  }

  /** Only Vertex AI streams arguments, and only when asked to: parts that have no name go on with the open call. */
  function addPiece(call: JsonObject, part: ToolCallPart, ktime_ns: bigint): void {
    if (open === undefined || stringField(call, 'name')) {
      const args = { ...asObject(part.arguments) };
      open = { part: { ...part, arguments: args }, args };
      parts.push(open.part);
    }
    for (const partial of protoObjects(call, 'partialArgs')) addPartialArg(open.args, partial);
    if (protoField(call, 'willContinue') === true) return;
    addCall(open.part, ktime_ns);
    open = undefined;
  }

  function add(source: JsonObject, ktime_ns: bigint): void {
    const part = geminiPart(source);
    if (part === undefined || parts.length >= PART_LIMIT) return;
    const last = parts.at(-1);
    if ((part.type === 'text' || part.type === 'reasoning') && last?.type === part.type) {
      parts[parts.length - 1] = { ...last, content: last.content + part.content };
      return;
    }
    const call = asObject(protoField(source, 'functionCall'));
    if (part.type === 'tool_call' && call !== undefined) {
      const is_piece = protoField(call, 'willContinue') === true || protoField(call, 'partialArgs') !== undefined;
      if (is_piece || (open !== undefined && !stringField(call, 'name'))) {
        addPiece(call, part, ktime_ns);
        return;
      }
      open = undefined;
      addCall(part, ktime_ns);
    }
    if (!('content' in part) || part.content !== '') parts.push(part);
  }

  return {
    add(candidate, ktime_ns) {
      for (const part of protoObjects(field(candidate, 'content'), 'parts')) add(part, ktime_ns);
      finish_reason = protoString(candidate, 'finishReason')?.toLowerCase() ?? finish_reason;
    },
    get finish_reason() {
      return finish_reason;
    },
    message() {
      if (finish_reason === undefined) return { role: 'assistant', parts };
      const mapped = messageFinishReason(finish_reason);
      const is_call = mapped === 'stop' && tool_calls.length > 0;
      return { role: 'assistant', parts, finish_reason: is_call ? 'tool_call' : mapped };
    },
    tool_calls,
  };
}
