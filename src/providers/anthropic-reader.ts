import type { LlmResponse, MessagePart, ToolCall } from '../model/llm-call.ts';
import { anthropicPart } from './anthropic-content.ts';
import { createAnthropicUsage } from './anthropic-usage.ts';
import { messageFinishReason } from './finish-reason.ts';
import {
  asObject,
  asObjects,
  countField,
  defined,
  field,
  type JsonObject,
  parseArguments,
  stringField,
} from './json-value.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

const BLOCK_LIMIT = 4096;

/** A content block as it began, and what deltas have added to it. */
interface Block {
  readonly start: JsonObject;
  text: string;
  input: string;
  stopped_ns: bigint | undefined;
}

function blockPart({ start, text, input }: Block): MessagePart | undefined {
  const part = anthropicPart(start);
  if (part?.type === 'text' || part?.type === 'reasoning') return { ...part, content: part.content + text };
  return part?.type === 'tool_call' && input !== '' ? { ...part, arguments: parseArguments(input) } : part;
}

/** A tool that the client has to run, once the block that asks for it has ended. */
function blockToolCall(block: Block): ToolCall | undefined {
  const part = blockPart(block);
  if (part?.type !== 'tool_call' || block.stopped_ns === undefined) return undefined;
  if (stringField(block.start, 'type') !== 'tool_use') return undefined;
  return { id: part.id ?? '', name: part.name, arguments: part.arguments, complete_ns: block.stopped_ns };
}

/** Reads a Messages response, streamed or whole. */
export function createAnthropicReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const usage = createAnthropicUsage();
  const blocks = new Map<number, Block>();
  let id: string | undefined;
  let model: string | undefined;
  let stopReason: string | undefined;
  let complete = false;

  function addBlock(index: number, start: JsonObject): void {
    if (blocks.has(index) || blocks.size >= BLOCK_LIMIT) return;
    blocks.set(index, { start, text: '', input: '', stopped_ns: undefined });
  }

  function addMessage(message: unknown): void {
    id = stringField(message, 'id') ?? id;
    model = stringField(message, 'model') ?? model;
    stopReason = stringField(message, 'stop_reason') ?? stopReason;
    usage.add(field(message, 'usage'));
    for (const [index, block] of asObjects(field(message, 'content')).entries()) addBlock(index, block);
  }

  function stopAll(ktime_ns: bigint): void {
    for (const block of blocks.values()) block.stopped_ns ??= ktime_ns;
  }

  function addDelta(index: number, delta: unknown): void {
    const type = stringField(delta, 'type');
    // Where the block's start was lost, its deltas still tell what it is.
    if (type === 'text_delta') addBlock(index, { type: 'text' });
    if (type === 'thinking_delta') addBlock(index, { type: 'thinking' });
    const block = blocks.get(index);
    if (block === undefined) return;
    if (type === 'text_delta') block.text += stringField(delta, 'text') ?? '';
    if (type === 'thinking_delta') block.text += stringField(delta, 'thinking') ?? '';
    if (type === 'input_json_delta') block.input += stringField(delta, 'partial_json') ?? '';
  }

  function addEvent(body: JsonObject, type: string, ktime_ns: bigint): void {
    const index = countField(body, 'index') ?? 0;
    switch (type) {
      case 'message_start':
        addMessage(field(body, 'message'));
        break;
      case 'content_block_start':
        addBlock(index, asObject(field(body, 'content_block')) ?? {});
        break;
      case 'content_block_delta':
        addDelta(index, field(body, 'delta'));
        break;
      case 'content_block_stop': {
        const block = blocks.get(index);
        if (block !== undefined) block.stopped_ns ??= ktime_ns;
        break;
      }
      case 'message_delta':
        stopReason = stringField(body, 'delta', 'stop_reason') ?? stopReason;
        usage.add(field(body, 'usage'));
        break;
      case 'message_stop':
        stopAll(ktime_ns);
        complete = true;
        break;
      case 'error':
        failure.report(body, '_OTHER');
        complete = true;
        break;
    }
  }

  return {
    pushEvent({ event, data }, ktime_ns) {
      const body = asObject(failure.parse(data));
      if (body !== undefined) addEvent(body, stringField(body, 'type') ?? event ?? '', ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const value = failure.parse(body.toString('utf8'));
      if (value === undefined) return;
      complete = true;
      if (head.status >= 400 || stringField(value, 'type') === 'error') failure.report(value, String(head.status));
      else addMessage(value);
      stopAll(ktime_ns);
    },
    get complete() {
      return complete;
    },
    result() {
      const ordered = [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block);
      const parts = ordered.flatMap((block) => blockPart(block) ?? []);
      const finish = stopReason === undefined ? {} : { finish_reason: messageFinishReason(stopReason) };
      const response = defined<LlmResponse>({
        id,
        model,
        finish_reasons: stopReason === undefined ? [] : [stopReason],
        messages: parts.length === 0 ? [] : [{ role: 'assistant', parts, ...finish }],
        tool_calls: ordered.flatMap((block) => blockToolCall(block) ?? []),
        usage: usage.total(),
        service_tier: usage.service_tier,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
