import { createByteBlocks } from './byte-blocks.ts';
import { type JsonRpcMessage, parseJsonRpc } from './json-rpc.ts';

/** Where a message was: the pieces its first and last byte came in, and its size on the stream. */
export interface MessageSpan<At> {
  readonly first: At;
  readonly last: At;
  readonly bytes: number;
}

export interface JsonRpcSink<At> {
  message(message: JsonRpcMessage, span: MessageSpan<At>): void;
  /** A line that is no message: what a program prints beside the protocol. '': its beginning is missing. */
  skipped(bytes: number, line: string): void;
  /** A message was left out for its size. */
  tooLarge(bytes: number, at: At): void;
  /** Of a batch, so many messages are not told: it has too many. */
  leftOut(count: number): void;
}

export interface JsonRpcReaderOptions {
  readonly max_message_bytes: number;
  /** Asked before more bytes of an incomplete message are kept, and told of those given back (negative). */
  hold(bytes: number): boolean;
}

export interface JsonRpcReader<At> {
  push(data: Uint8Array, at: At): void;
  /** Bytes are missing: the message they were in is dropped, reading goes on with the next one. */
  gap(): void;
  /** Gives back what is held. */
  end(): void;
  /** Bytes of a message that is not complete. */
  readonly held_bytes: number;
}

const LF = 10;

/**
 * Reads JSON-RPC messages, fed with bytes cut anywhere: a line each, as MCP's stdio transport has them. Lines that are no
 * message are skipped.
 */
export function createJsonRpcReader<At>(options: JsonRpcReaderOptions, sink: JsonRpcSink<At>): JsonRpcReader<At> {
  const held = createByteBlocks();
  /** Of the line that is being read, held or not. */
  let line_bytes = 0;
  let first: At | undefined;
  /** The line is no message: it is too large to be kept, or its beginning is missing. */
  let dropping: 'too_large' | 'gap' | undefined;

  const release = (): Buffer => {
    const whole = held.joined();
    options.hold(-whole.length);
    held.clear();
    return whole;
  };
  const keep = (data: Uint8Array, at: At): void => {
    first ??= at;
    line_bytes += data.length;
    if (dropping !== undefined || data.length === 0) return;
    if (line_bytes > options.max_message_bytes || !options.hold(data.length)) {
      dropping = 'too_large';
      release();
      return;
    }
    held.add(data);
  };
  const reset = (): void => {
    release();
    line_bytes = 0;
    first = undefined;
    dropping = undefined;
  };
  const complete = (at: At): void => {
    const line = release().toString('utf8').trim();
    if (dropping === 'too_large') sink.tooLarge(line_bytes, at);
    else if (dropping === 'gap') sink.skipped(line_bytes, '');
    else if (line !== '') tell(line, at);
    reset();
  };
  const tell = (line: string, at: At): void => {
    const messages = parseJsonRpc(line, (count) => sink.leftOut(count));
    for (const message of messages) sink.message(message, { first: first ?? at, last: at, bytes: line_bytes });
    if (messages.length === 0) sink.skipped(line_bytes, line);
  };

  return {
    get held_bytes() {
      return held.bytes;
    },
    push(data, at) {
      let from = 0;
      while (from < data.length) {
        const line_end = data.indexOf(LF, from);
        keep(data.subarray(from, line_end < 0 ? data.length : line_end), at);
        if (line_end < 0) return;
        line_bytes++;
        from = line_end + 1;
        complete(at);
      }
    },
    gap() {
      reset();
      dropping = 'gap';
    },
    end: reset,
  };
}
