import type { Counters } from '../../health/counters.ts';
import type { EventBase, PipeEndEvent, PlainDataEvent } from '../../model/event.ts';
import type { CaptureGap } from '../../model/llm-call.ts';
import type { McpCall } from '../../model/mcp-call.ts';
import type { JsonRpcMessage } from '../../protocol/json-rpc.ts';
import type { MessageSpan } from '../../protocol/json-rpc-reader.ts';
import type { BodyBudget } from '../body-collector.ts';
import { createMcpDialogue, type McpArrival, type McpChannel } from './mcp-dialogue.ts';
import { isForeign, mcpSender } from './mcp-message.ts';
import { createMcpPipe, isBack, isEndOf, type McpPipe, otherSide } from './mcp-pipe.ts';

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

/** How language servers begin: what they say is another protocol. */
const FRAMED = /^content-length[ \t]*:[ \t]*\d+$/i;
/** A pipe without any message by then carries something else. */
const SILENT_BYTES = 1 << 20;
/** What a response to nothing counts for. */
const ORPHAN_BYTES = 4096;
const GONE = 'the pipe was closed';

export function createMcpStdio(options: McpStdioOptions): McpStdio {
  const { counters } = options;
  /** The one that was silent longest first. */
  const pipes = new Map<bigint, McpPipe>();
  let dialogue_count = 0;

  const createPipe = (id: bigint, base_offset: bigint): McpPipe => {
    const pipe: McpPipe = createMcpPipe(id, base_offset, options, {
      message: (message, span) => take(pipe, message, span),
      skipped(bytes, line) {
        if (pipe.speaks === undefined && pipe.silent_bytes === 0 && FRAMED.test(line)) ignoreFramed(pipe);
        else notMcp(pipe, bytes);
      },
      leftOut(count) {
        if (pipe.speaks === 'mcp') counters.lost('exchange.mcp_batch_left_out', count);
      },
      tooLarge(bytes, { ktime_ns }) {
        if (lose(pipe, 'too_large', bytes, ktime_ns)) counters.lost('exchange.mcp_messages_too_large');
        else notMcp(pipe, bytes);
      },
      gap(bytes, { ktime_ns }) {
        if (lose(pipe, 'lost_bytes', bytes, ktime_ns)) counters.lost('exchange.mcp_lost_bytes', bytes);
      },
    });
    return pipe;
  };
  /** What a pipe carried is missing for us: the other side may wait for it. False: it is not MCP's, as far as we know. */
  const lose = (pipe: McpPipe, reason: CaptureGap['reason'], bytes: number, at_ns: bigint): boolean => {
    const back = pipe.sender === undefined ? backOf(pipe) : undefined;
    const sender = pipe.sender === undefined ? back?.sender : otherSide(pipe.sender);
    const dialogue = pipe.dialogue ?? back?.dialogue;
    if (sender === undefined || dialogue === undefined || pipe.speaks === 'other') return false;
    dialogue.lose(sender, { reason, bytes, detail: 'response' }, at_ns);
    return true;
  };
  const notMcp = (pipe: McpPipe, bytes: number): void => {
    pipe.silent_bytes += bytes;
    if (pipe.speaks === undefined && pipe.silent_bytes > SILENT_BYTES) ignore(pipe);
  };
  const ignore = (pipe: McpPipe): void => {
    pipe.speaks = 'other';
    pipe.reader.end();
  };
  const ignoreFramed = (pipe: McpPipe): void => {
    counters.counted('exchange.framed_pipes');
    ignore(pipe);
  };
  const channelOf = (pipe: McpPipe): McpChannel => {
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
  const take = (pipe: McpPipe, message: JsonRpcMessage, span: MessageSpan<PlainDataEvent>): void => {
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
  const begin = (pipe: McpPipe, sender: McpCall['sender']): void => {
    const back = backOf(pipe);
    if (back?.dialogue !== undefined) {
      join(pipe, back);
      return;
    }
    pipe.speaks = 'mcp';
    pipe.sender = sender;
    const owner = pipe.writer ?? pipe.receiver;
    const dialogue_id = `${owner?.process ?? ''}/mcp/${++dialogue_count}`;
    pipe.dialogue = createMcpDialogue({ dialogue_id, counters, emit: options.emit });
    if (back !== undefined) join(back, pipe);
  };
  const backOf = (pipe: McpPipe): McpPipe | undefined =>
    pipes.values().find((other) => other !== pipe && other.back === undefined && isBack(pipe, other, 2));
  const findAsking = (pipe: McpPipe, id: string | number | undefined): McpPipe | undefined => {
    const awaiting = [...pipes.values()].filter(
      (other) => other !== pipe && other.sender !== undefined && other.dialogue?.awaits(other.sender, id) === true,
    );
    return awaiting.find((other) => isBack(other, pipe, 2)) ?? awaiting.find((other) => isBack(other, pipe, 1));
  };
  const join = (pipe: McpPipe, asked: McpPipe): void => {
    if (pipe.back === asked) return;
    pipe.back = asked;
    asked.back = pipe;
    // What it asked before it was known to be the other direction is answered in the dialogue that it began.
    if (pipe.dialogue !== undefined) return;
    pipe.speaks = 'mcp';
    pipe.sender = otherSide(asked.sender ?? 'server');
    pipe.dialogue = asked.dialogue;
  };
  const close = (pipe: McpPipe, at_ns: bigint, why: string | undefined): void => {
    pipe.bytes.flush();
    pipe.reader.end();
    pipes.delete(pipe.id);
    pipe.dialogue?.end(at_ns, why);
    if (pipe.back !== undefined) pipe.back.back = undefined;
  };
  const followed = (id: bigint, at_ns: bigint, offset = 0n): McpPipe => {
    const pipe = pipes.get(id) ?? createPipe(id, offset);
    pipes.delete(id);
    pipes.set(id, pipe);
    const [oldest] = pipes.values();
    if (pipes.size > options.max_pipes && oldest !== undefined) {
      if (oldest.speaks === 'mcp') counters.lost('exchange.mcp_pipes_evicted');
      close(oldest, at_ns, undefined);
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
        if (pipe === undefined || !isEndOf(pipe, process)) return;
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
        const is_end = isEndOf(pipe, process);
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
