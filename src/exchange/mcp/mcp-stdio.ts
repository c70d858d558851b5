import type { Counters } from '../../health/counters.ts';
import type { EventBase, PipeEndEvent, PlainDataEvent, ProcessKey } from '../../model/event.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import { type ByteStream, createByteStream } from '../../protocol/byte-stream.ts';
import type { JsonRpcMessage } from '../../protocol/json-rpc.ts';
import { createJsonRpcReader, type JsonRpcReader, type MessageSpan } from '../../protocol/json-rpc-reader.ts';
import type { BodyBudget } from '../body-collector.ts';
import { type McpArrival, type McpChannel, McpDialogue, type McpParty } from './mcp-dialogue.ts';
import { isForeign, mcpSender } from './mcp-message.ts';

export interface McpStdioOptions {
  readonly counters: Counters;
  readonly budget: BodyBudget;
  readonly max_pipes: number;
  emit(call: McpCall): void;
}

/** Reads what processes write to each other through pipes, as far as that is MCP's stdio transport. */
export interface McpStdio {
  data(event: PlainDataEvent): void;
  pipeEnd(event: PipeEndEvent): void;
  processEnd(event: EventBase): void;
  /** Stops waiting for bytes that did not come until `until_ns`. */
  settle(until_ns: bigint): void;
  end(at_ns: bigint): void;
}

/** One direction. */
interface Pipe {
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
  back: Pipe | undefined;
  silent_bytes: number;
}

const MAX_HELD_BYTES = 1 << 20;
const MAX_HELD_PIECES = 256;
/** How language servers begin: what they say is another protocol. */
const FRAMED = /^content-length[ \t]*:[ \t]*\d+$/i;
/** A pipe without any message by then carries something else. */
const SILENT_BYTES = 1 << 20;
/** What a response to nothing counts for. */
const ORPHAN_BYTES = 4096;
const GONE = 'the pipe was closed';

export function createMcpStdio(options: McpStdioOptions): McpStdio {
  const { counters, budget } = options;
  /** The one that was silent longest first. */
  const pipes = new Map<bigint, Pipe>();
  let dialogue_count = 0;

  const createPipe = (id: bigint, base_offset: bigint): Pipe => {
    const reader = createJsonRpcReader<PlainDataEvent>(
      {
        max_message_bytes: budget.max_body_bytes,
        hold(bytes) {
          if (bytes > 0 && budget.buffered_bytes + bytes > budget.max_buffered_bytes) return false;
          budget.buffered_bytes += bytes;
          return true;
        },
      },
      {
        message: (message, span) => take(pipe, message, span),
        skipped(bytes, line) {
          if (pipe.speaks === undefined && pipe.silent_bytes === 0 && FRAMED.test(line)) ignoreFramed(pipe);
          else notMcp(pipe, bytes);
        },
        leftOut(count) {
          if (pipe.speaks === 'mcp') counters.lost('exchange.mcp_batch_left_out', count);
        },
        tooLarge(bytes) {
          if (pipe.speaks === 'mcp') counters.lost('exchange.mcp_messages_too_large');
          else notMcp(pipe, bytes);
        },
      },
    );
    const bytes = createByteStream<PlainDataEvent>(
      {
        max_held_bytes: MAX_HELD_BYTES,
        max_held_pieces: MAX_HELD_PIECES,
        dropped: (count) => counters.counted('exchange.repeated_bytes', count),
      },
      {
        data: (data, piece) => {
          if (pipe.speaks === 'other') return;
          reader.push(data, piece);
          if (isIgnored(pipe)) reader.end();
        },
        gap: (count) => {
          reader.gap();
          if (pipe.speaks === 'mcp') counters.lost('exchange.mcp_lost_bytes', count);
        },
      },
    );
    const pipe: Pipe = {
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
  };
  const notMcp = (pipe: Pipe, bytes: number): void => {
    pipe.silent_bytes += bytes;
    if (pipe.speaks === undefined && pipe.silent_bytes > SILENT_BYTES) ignore(pipe);
  };
  const ignore = (pipe: Pipe): void => {
    pipe.speaks = 'other';
    pipe.reader.end();
  };
  const ignoreFramed = (pipe: Pipe): void => {
    counters.counted('exchange.framed_pipes');
    ignore(pipe);
  };
  const channelOf = (pipe: Pipe): McpChannel => {
    const is_client = pipe.sender === 'client';
    const writer = pipe.writer ?? pipe.back?.receiver;
    const receiver = pipe.receiver ?? pipe.back?.writer;
    return {
      transport: 'pipe',
      socket_id: 0n,
      server_address: undefined,
      server_port: undefined,
      client: is_client ? writer : receiver,
      server: is_client ? receiver : writer,
    };
  };
  const take = (pipe: Pipe, message: JsonRpcMessage, span: MessageSpan<PlainDataEvent>): void => {
    const { first, last, bytes } = span;
    const at: McpArrival = { first_ns: first.ktime_ns, last_ns: last.ktime_ns, tid: first.tid, bytes };
    if (message.type === 'response') {
      const asked = pipe.back ?? findAsking(pipe, message.id);
      if (asked?.sender === undefined) {
        notMcp(pipe, bytes + ORPHAN_BYTES);
        return;
      }
      join(pipe, asked);
      asked.dialogue?.answer(message, asked.sender, at);
      return;
    }
    if (pipe.speaks === undefined) {
      const sender = mcpSender(message);
      if (isForeign(message)) ignore(pipe);
      else if (sender === undefined || sender === 'either') notMcp(pipe, bytes);
      else begin(pipe, sender);
    }
    pipe.dialogue?.send(message, pipe.sender ?? 'client', at, () => channelOf(pipe));
  };
  const begin = (pipe: Pipe, sender: McpCall['sender']): void => {
    const back = [...pipes.values()].find(
      (other) => other !== pipe && other.back === undefined && isBack(pipe, other, 2),
    );
    if (back?.dialogue !== undefined) {
      join(pipe, back);
      return;
    }
    pipe.speaks = 'mcp';
    pipe.sender = sender;
    const owner = pipe.writer ?? pipe.receiver;
    const dialogue_id = `${owner?.process ?? ''}/mcp/${++dialogue_count}`;
    pipe.dialogue = new McpDialogue({ dialogue_id, counters, emit: options.emit });
    if (back !== undefined) join(back, pipe);
  };
  /** The pipe that goes back: between the same two processes, as far as they are known. At least `ends` of them have to be. */
  const isBack = (one: Pipe, other: Pipe, ends: number): boolean => {
    if (one.speaks === 'other' || other.speaks === 'other') return false;
    const pairs = [
      [one.writer, other.receiver],
      [one.receiver, other.writer],
    ];
    const known = pairs.filter(([a, b]) => a !== undefined && b !== undefined);
    return known.length >= ends && known.every(([a, b]) => a?.process === b?.process);
  };
  const findAsking = (pipe: Pipe, id: string | number | undefined): Pipe | undefined => {
    const awaiting = [...pipes.values()].filter(
      (other) => other !== pipe && other.sender !== undefined && other.dialogue?.awaits(other.sender, id) === true,
    );
    return awaiting.find((other) => isBack(other, pipe, 2)) ?? awaiting.find((other) => isBack(other, pipe, 1));
  };
  const join = (pipe: Pipe, asked: Pipe): void => {
    if (pipe.back === asked) return;
    pipe.back = asked;
    asked.back = pipe;
    // What it asked before it was known to be the other direction is answered in the dialogue that it began.
    if (pipe.dialogue !== undefined) return;
    pipe.speaks = 'mcp';
    pipe.sender = asked.sender === 'client' ? 'server' : 'client';
    pipe.dialogue = asked.dialogue;
  };
  const close = (pipe: Pipe, at_ns: bigint, why: string): void => {
    pipe.bytes.flush();
    pipe.reader.end();
    pipes.delete(pipe.id);
    pipe.dialogue?.end(at_ns, why);
    if (pipe.back !== undefined) pipe.back.back = undefined;
  };
  const followed = (id: bigint, at_ns: bigint, offset = 0n): Pipe => {
    const pipe = pipes.get(id) ?? createPipe(id, offset);
    pipes.delete(id);
    pipes.set(id, pipe);
    const [oldest] = pipes.values();
    if (pipes.size > options.max_pipes && oldest !== undefined) {
      if (oldest.speaks === 'mcp') counters.lost('exchange.mcp_pipes_evicted');
      close(oldest, at_ns, 'it is followed no longer');
    }
    return pipe;
  };

  return {
    data(event) {
      const { stream_id, direction, process, pid, offset, ktime_ns } = event;
      const known = pipes.get(stream_id);
      const owner = direction === 'write' ? known?.writer : known?.receiver;
      // Inode numbers are used again.
      const is_other = known?.is_closed === true && owner?.process !== process;
      if (known !== undefined && (is_other || (offset === 0n && known.bytes.end_offset > 0n))) {
        close(known, ktime_ns, GONE);
      }
      const pipe = followed(stream_id, ktime_ns, offset);
      if (direction === 'write') pipe.writer = { process, pid };
      else pipe.receiver = { process, pid };
      if (pipe.speaks !== 'other') pipe.bytes.push({ ...event, offset: offset - pipe.base_offset });
    },
    pipeEnd({ stream_id, state, process, pid, ktime_ns }) {
      if (state === 'closed') {
        const pipe = pipes.get(stream_id);
        if (pipe === undefined || !(isOf(pipe.writer, process) || isOf(pipe.receiver, process))) return;
        pipe.is_closed = true;
        pipe.bytes.flush();
        pipe.dialogue?.end(ktime_ns, GONE);
        return;
      }
      const pipe = followed(stream_id, ktime_ns);
      pipe.receiver = { process, pid };
      pipe.dialogue?.refresh();
    },
    processEnd({ process, ktime_ns }) {
      for (const pipe of [...pipes.values()]) {
        const is_end = isOf(pipe.writer, process) || isOf(pipe.receiver, process);
        if (is_end) pipe.dialogue?.end(ktime_ns, 'the process ended');
      }
    },
    settle(until_ns) {
      for (const pipe of pipes.values()) pipe.bytes.flush(until_ns);
    },
    end(at_ns) {
      for (const pipe of [...pipes.values()]) close(pipe, at_ns, 'watching ended');
    },
  };
}

function isIgnored({ speaks }: Pipe): boolean {
  return speaks === 'other';
}

function isOf(party: McpParty | undefined, process: ProcessKey): boolean {
  return party?.process === process;
}
