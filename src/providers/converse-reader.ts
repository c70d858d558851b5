import type { LlmResponse, MessagePart, ToolCall, Usage } from '../model/llm-call.ts';
import { conversePart } from './converse-content.ts';
import { messageFinishReason } from './finish-reason.ts';
import {
  asObject,
  asObjects,
  countField,
  defined,
  field,
  type JsonObject,
  parseArguments,
  parseJson,
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
  const part = conversePart(start);
  if (part?.type === 'text' || part?.type === 'reasoning') return { ...part, content: part.content + text };
  return part?.type === 'tool_call' && input !== '' ? { ...part, arguments: parseArguments(input) } : part;
}

function blockToolCall(block: Block): ToolCall | undefined {
  const part = blockPart(block);
  if (part?.type !== 'tool_call' || block.stopped_ns === undefined) return undefined;
  // A tool that the provider itself runs.
  if (stringField(block.start, 'toolUse', 'type') === 'server_tool_use') return undefined;
  return { id: part.id ?? '', name: part.name, arguments: part.arguments, complete_ns: block.stopped_ns };
}

/** `usage`: cached tokens are counted apart (AWS, TokenUsage); `input_tokens` of the result includes them. */
function converseUsage(usage: unknown): Usage {
  const count = (name: string) => countField(usage, name) ?? countField(usage, name.replace(/s$/, 'Count'));
  const uncached = count('inputTokens');
  const read = count('cacheReadInputTokens');
  const written = count('cacheWriteInputTokens');
  const hour = asObjects(field(usage, 'cacheDetails')).find((detail) => stringField(detail, 'ttl') === '1h');
  return defined<Usage>({
    input_tokens: uncached === undefined ? undefined : uncached + (read ?? 0) + (written ?? 0),
    output_tokens: count('outputTokens'),
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    cache_creation_1h_input_tokens: countField(hour, 'inputTokens') || undefined,
  });
}

/** Reads a response of Amazon Bedrock's Converse API, streamed or whole. Nova models under /invoke wrap each event. */
export function createConverseReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const blocks = new Map<number, Block>();
  let stop_reason: string | undefined;
  let service_tier: string | undefined;
  let usage: Usage = {};
  let complete = false;

  function blockAt(index: number, start: JsonObject): Block | undefined {
    const known = blocks.get(index);
    if (known !== undefined || blocks.size >= BLOCK_LIMIT) return known;
    const created: Block = { start, text: '', input: '', stopped_ns: undefined };
    blocks.set(index, created);
    return created;
  }

  function stopAll(ktime_ns: bigint): void {
    for (const block of blocks.values()) block.stopped_ns ??= ktime_ns;
  }

  function addDelta(index: number, delta: unknown): void {
    const text = stringField(delta, 'text');
    const reasoning = stringField(delta, 'reasoningContent', 'text');
    const input = stringField(delta, 'toolUse', 'input');
    // Only tool calls are announced; where the announcement was lost, the delta tells what it is.
    if (text !== undefined) {
      const block = blockAt(index, { text: '' });
      if (block !== undefined) block.text += text;
    } else if (field(delta, 'reasoningContent') !== undefined) {
      const block = blockAt(index, { reasoningContent: {} });
      if (block !== undefined) block.text += reasoning ?? '';
    } else if (input !== undefined) {
      const block = blockAt(index, { toolUse: {} });
      if (block !== undefined) block.input += input;
    }
  }

  function addUsage(source: unknown): void {
    usage = { ...usage, ...converseUsage(field(source, 'usage')) };
    service_tier = stringField(source, 'serviceTier', 'type') ?? service_tier;
  }

  function addEvent(name: string, body: JsonObject, ktime_ns: bigint): void {
    const index = countField(body, 'contentBlockIndex') ?? 0;
    switch (name) {
      case 'contentBlockStart':
        blockAt(index, asObject(field(body, 'start')) ?? {});
        break;
      case 'contentBlockDelta':
        addDelta(index, field(body, 'delta'));
        break;
      case 'contentBlockStop': {
        const block = blocks.get(index);
        if (block !== undefined) block.stopped_ns ??= ktime_ns;
        break;
      }
      case 'messageStop':
        stop_reason = stringField(body, 'stopReason') ?? stop_reason;
        stopAll(ktime_ns);
        break;
      case 'metadata':
        addUsage(body);
        complete = true;
        break;
    }
  }

  return {
    pushEvent({ event, data, error_type }, ktime_ns) {
      if (error_type !== undefined) {
        failure.report({ type: error_type, message: stringField(asObject(parseJson(data)), 'message') }, '_OTHER');
        complete = true;
        return;
      }
      const body = asObject(failure.parse(data));
      if (body !== undefined && event !== undefined) addEvent(event, body, ktime_ns);
      else if (body !== undefined) {
        for (const [name, inner] of Object.entries(body)) addEvent(name, asObject(inner) ?? {}, ktime_ns);
      }
    },
    pushBody(data, ktime_ns) {
      const body = asObject(failure.parse(data.toString('utf8')));
      if (body === undefined) return;
      complete = true;
      if (head.status >= 400) failure.report(body, String(head.status));
      const content = asObjects(field(body, 'output', 'message', 'content'));
      for (const [index, block] of content.entries()) blockAt(index, block);
      stop_reason = stringField(body, 'stopReason') ?? stop_reason;
      addUsage(body);
      stopAll(ktime_ns);
    },
    get complete() {
      return complete;
    },
    result() {
      const ordered = [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block);
      const parts = ordered.flatMap((block) => blockPart(block) ?? []);
      const finish = stop_reason === undefined ? {} : { finish_reason: messageFinishReason(stop_reason) };
      const response = defined<LlmResponse>({
        finish_reasons: stop_reason === undefined ? [] : [stop_reason],
        messages: parts.length === 0 ? [] : [{ role: 'assistant', parts, ...finish }],
        tool_calls: ordered.flatMap((block) => blockToolCall(block) ?? []),
        usage,
        service_tier,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
