import type { Counters } from '../../health/counters.ts';
import type { PlainDataEvent, ProcessKey } from '../../model/event.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { ByteStream } from '../../protocol/byte-stream.ts';
import { createJsonRpcReader, type JsonRpcReader, type JsonRpcSink } from '../../protocol/json-rpc-reader.ts';
import type { BodyBudget } from '../body-collector.ts';
import { createCapturedStream } from '../captured-stream.ts';
import type { McpDialogue, McpParty } from './mcp-dialogue.ts';

/** One direction between a client and a server of MCP, as far as it is one. */
export interface McpPipe {
  readonly id: bigint;
  /** Where it was first seen. */
  readonly base_offset: bigint;
  /** A process closed its end; others may have that end, too. */
  is_closed: boolean;
  readonly bytes: ByteStream<PlainDataEvent>;
  readonly reader: JsonRpcReader<PlainDataEvent>;
  writer: McpParty | undefined;
  receiver: McpParty | undefined;
  /** undefined: nothing was said yet that tells. */
  speaks: 'mcp' | 'other' | undefined;
  /** What is written to it comes from this side. */
  sender: McpCall['sender'] | undefined;
  dialogue: McpDialogue | undefined;
  /** The other direction. */
  back: McpPipe | undefined;
  silent_bytes: number;
}

export interface McpPipeSink extends JsonRpcSink<PlainDataEvent> {
  /** Bytes are missing. */
  gap(bytes: number, at: PlainDataEvent): void;
}

export function createMcpPipe(
  id: bigint,
  base_offset: bigint,
  { counters, budget }: { readonly counters: Counters; readonly budget: BodyBudget },
  sink: McpPipeSink,
): McpPipe {
  const reader = createJsonRpcReader<PlainDataEvent>(
    {
      max_message_bytes: budget.max_body_bytes,
      hold(bytes) {
        if (bytes > 0 && budget.buffered_bytes + bytes > budget.max_buffered_bytes) return false;
        budget.buffered_bytes += bytes;
        return true;
      },
    },
    sink,
  );
  const bytes = createCapturedStream<PlainDataEvent>(counters, {
    data(data, piece) {
      if (isIgnored(pipe)) return;
      reader.push(data, piece);
      if (isIgnored(pipe)) reader.end();
    },
    gap(count, piece) {
      reader.gap();
      sink.gap(count, piece);
    },
  });
  const pipe: McpPipe = {
    id,
    base_offset,
    is_closed: false,
    bytes,
    reader,
    writer: undefined,
    receiver: undefined,
    speaks: undefined,
    sender: undefined,
    dialogue: undefined,
    back: undefined,
    silent_bytes: 0,
  };
  return pipe;
}

/** The pipe that goes back: between the same two processes, as far as they are known. At least `ends` of them have to be. */
export function isBack(one: McpPipe, other: McpPipe, ends: number): boolean {
  if (one.speaks === 'other' || other.speaks === 'other') return false;
  const pairs = [
    [one.writer, other.receiver],
    [one.receiver, other.writer],
  ];
  const known = pairs.filter(([a, b]) => a !== undefined && b !== undefined);
  return known.length >= ends && known.every(([a, b]) => a?.process === b?.process);
}

export function otherSide(sender: McpCall['sender']): McpCall['sender'] {
  return sender === 'client' ? 'server' : 'client';
}

/** Whether a process has, or had, one of its ends. */
export function isEndOf({ writer, receiver }: McpPipe, process: ProcessKey): boolean {
  return writer?.process === process || receiver?.process === process;
}

function isIgnored({ speaks }: McpPipe): boolean {
  return speaks === 'other';
}
