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
  /** Bytes of no message: what a program prints beside the protocol. */
  skipped(bytes: number): void;
  /** A message was left out for its size. */
  tooLarge(bytes: number): void;
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
/** Header lines of a framed message, as the Language Server Protocol has them. */
const CONTENT_LENGTH = /^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*$/i;
const OTHER_HEADER = /^content-type[ \t]*:/i;
/** After a gap, what is left of a framed body has the next message's header at its end. */
const LAST_CONTENT_LENGTH = /content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*$/i;
const HEADER_BYTES = 64;

/**
 * Reads JSON-RPC messages, fed with bytes cut anywhere: a line each, as MCP's stdio transport has them, or framed with a
 * `Content-Length` header. Lines that are no message are skipped.
 */
export function createJsonRpcReader<At>(options: JsonRpcReaderOptions, sink: JsonRpcSink<At>): JsonRpcReader<At> {
  const held = createByteBlocks();
  /** Of the unit that is being read, held or not. */
  let unit_bytes = 0;
  let first: At | undefined;
  /** The unit is no message: it is too large to be kept, or its beginning is missing. */
  let dropping: 'too_large' | 'gap' | undefined;
  /** Bytes of a framed body that are still to come; undefined: reading a line. */
  let body_left: number | undefined;
  let body_bytes = 0;
  /** A Content-Length was read, and the blank line before the body was not. */
  let next_body_bytes: number | undefined;

  const release = (): Buffer => {
    const whole = held.joined();
    options.hold(-whole.length);
    held.clear();
    return whole;
  };
  const keep = (data: Uint8Array, at: At): void => {
    first ??= at;
    unit_bytes += data.length;
    if (dropping === 'too_large' || data.length === 0) return;
    if (unit_bytes > options.max_message_bytes || !options.hold(data.length)) {
      dropping = 'too_large';
      release();
      return;
    }
    held.add(data);
  };
  const reset = (): void => {
    release();
    unit_bytes = 0;
    first = undefined;
    dropping = undefined;
  };
  const tell = (text: string, at: At): void => {
    const messages = parseJsonRpc(text);
    for (const message of messages) sink.message(message, { first: first ?? at, last: at, bytes: unit_bytes });
    if (messages.length === 0) sink.skipped(unit_bytes);
  };
  const skip = (): void => {
    sink.skipped(unit_bytes);
    const length = LAST_CONTENT_LENGTH.exec(release().subarray(-HEADER_BYTES).toString('latin1').trimEnd())?.[1];
    if (length !== undefined) next_body_bytes = Number(length);
  };
  /** A whole line, or a whole framed body, was read. */
  const complete = (at: At): void => {
    if (dropping === 'too_large') sink.tooLarge(unit_bytes);
    else if (dropping === 'gap') skip();
    else if (body_left !== undefined) tell(release().toString('utf8'), at);
    else line(release().toString('utf8').trim(), at);
    body_left = undefined;
    reset();
  };
  const line = (text: string, at: At): void => {
    const length = CONTENT_LENGTH.exec(text)?.[1];
    if (length !== undefined) next_body_bytes = Number(length);
    else if (next_body_bytes !== undefined && text === '') {
      body_bytes = next_body_bytes;
      next_body_bytes = undefined;
      return;
    } else if (next_body_bytes === undefined || !OTHER_HEADER.test(text)) {
      next_body_bytes = undefined;
      if (text !== '') tell(text, at);
    }
  };

  return {
    get held_bytes() {
      return held.bytes;
    },
    push(data, at) {
      let from = 0;
      while (from < data.length) {
        if (body_left !== undefined) {
          const end = Math.min(data.length, from + body_left);
          keep(data.subarray(from, end), at);
          body_left -= end - from;
          from = end;
          if (body_left === 0) complete(at);
          continue;
        }
        const line_end = data.indexOf(LF, from);
        keep(data.subarray(from, line_end < 0 ? data.length : line_end), at);
        if (line_end < 0) return;
        unit_bytes++;
        from = line_end + 1;
        complete(at);
        if (body_bytes > 0) body_left = body_bytes;
        body_bytes = 0;
      }
    },
    gap() {
      reset();
      body_left = undefined;
      next_body_bytes = undefined;
      dropping = 'gap';
    },
    end: reset,
  };
}
