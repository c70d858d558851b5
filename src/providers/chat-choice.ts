import type { Message, MessagePart, ToolCall } from '../model/llm-call.ts';
import { messageFinishReason } from './finish-reason.ts';
import { asObjects, countField, field, type JsonObject, parseArguments, stringField } from './json-value.ts';
import { reasoningText } from './openai-chat-request.ts';
import { openAiContent } from './openai-content.ts';

const TOOL_CALL_LIMIT = 4096;

interface PartialToolCall {
  id: string;
  name: string;
  arguments: string;
  readonly custom: boolean;
  complete_ns: bigint | undefined;
}

/** One choice (candidate) of a Chat Completions response, put together from a message or from deltas. */
export interface ChatChoice {
  /** An item of `choices`: with `message`, `delta`, or `text` (of the older API). */
  add(choice: JsonObject, ktime_ns: bigint): void;
  /** Nothing more will come: tool calls that are still open end here. */
  close(ktime_ns: bigint): void;
  readonly finish_reason: string | undefined;
  message(): Message;
  /** Those that are complete. */
  toolCalls(): readonly ToolCall[];
}

const callArguments = (call: PartialToolCall) => (call.custom ? call.arguments : parseArguments(call.arguments));

export function createChatChoice(): ChatChoice {
  let text = '';
  let reasoning = '';
  let refusal = '';
  let finishReason: string | undefined;
  const otherParts: MessagePart[] = [];
  const calls: PartialToolCall[] = [];
  const callByIndex = new Map<number, PartialToolCall>();

  function close(ktime_ns: bigint): void {
    for (const call of calls) call.complete_ns ??= ktime_ns;
  }

  /** The call a delta goes on with, or a new one: some servers give no index, or the same one to all. */
  function callOf(delta: JsonObject, ktime_ns: bigint): PartialToolCall | undefined {
    const id = stringField(delta, 'id') ?? '';
    const index = countField(delta, 'index');
    const known = index === undefined ? calls.at(-1) : callByIndex.get(index);
    if (known !== undefined && (id === '' || known.id === '' || known.id === id)) return known;
    if (
      calls.length >= TOOL_CALL_LIMIT ||
      (known === undefined && index === undefined && id === '' && !hasName(delta))
    ) {
      return undefined;
    }
    close(ktime_ns);
    const custom = field(delta, 'custom') !== undefined;
    const call: PartialToolCall = { id, name: '', arguments: '', custom, complete_ns: undefined };
    calls.push(call);
    if (index !== undefined) callByIndex.set(index, call);
    return call;
  }

  function hasName(delta: JsonObject): boolean {
    return stringField(delta, 'function', 'name') !== undefined || stringField(delta, 'custom', 'name') !== undefined;
  }

  function addCall(delta: JsonObject, ktime_ns: bigint): void {
    const call = callOf(delta, ktime_ns);
    if (call === undefined) return;
    call.id ||= stringField(delta, 'id') ?? '';
    call.name ||= stringField(delta, 'function', 'name') ?? stringField(delta, 'custom', 'name') ?? '';
    call.arguments += stringField(delta, 'function', 'arguments') ?? stringField(delta, 'custom', 'input') ?? '';
  }

  return {
    add(choice, ktime_ns) {
      const message = field(choice, 'message') ?? field(choice, 'delta');
      const content = field(message, 'content');
      text += typeof content === 'string' ? content : (stringField(choice, 'text') ?? '');
      if (Array.isArray(content)) otherParts.push(...openAiContent(content).slice(0, 4096));
      reasoning += reasoningText(message) ?? '';
      refusal += stringField(message, 'refusal') ?? '';
      const whole = field(choice, 'message') !== undefined;
      for (const [position, call] of asObjects(field(message, 'tool_calls')).entries()) {
        addCall(whole ? { ...call, index: position } : call, ktime_ns);
      }
      const legacy = field(message, 'function_call');
      if (typeof legacy === 'object' && legacy !== null) addCall({ index: 0, function: legacy }, ktime_ns);
      finishReason = stringField(choice, 'finish_reason') ?? stringField(choice, 'stop_reason') ?? finishReason;
      if (finishReason !== undefined) close(ktime_ns);
    },
    close,
    get finish_reason() {
      return finishReason;
    },
    message() {
      const parts: MessagePart[] = [];
      if (reasoning !== '') parts.push({ type: 'reasoning', content: reasoning });
      if (text !== '') parts.push({ type: 'text', content: text });
      parts.push(...otherParts);
      if (refusal !== '') parts.push({ type: 'text', content: refusal });
      for (const call of calls) {
        parts.push({ type: 'tool_call', id: call.id || null, name: call.name, arguments: callArguments(call) });
      }
      const finish = finishReason === undefined ? {} : { finish_reason: messageFinishReason(finishReason) };
      return { role: 'assistant', parts, ...finish };
    },
    toolCalls: () =>
      calls.flatMap((call) =>
        // The beginning of one without a name was not seen.
        call.complete_ns === undefined || call.name === ''
          ? []
          : [{ id: call.id, name: call.name, arguments: callArguments(call), complete_ns: call.complete_ns }],
      ),
  };
}
