import { createMessageBuffer, type MessageProgress } from './message-buffer.ts';

/** A message, as it was sent: `is_compressed` by what `grpc-encoding` names. */
export interface GrpcMessage {
  readonly data: Buffer;
  readonly is_compressed: boolean;
}

export interface GrpcReader {
  push(bytes: Uint8Array): void;
  /** Bytes are missing: nothing tells where the next message begins, and no more are told. */
  gap(): void;
  /** Gives back what is held, and takes no more. */
  end(): void;
  /** Bytes of a message that is not complete. */
  readonly held_bytes: number;
}

export interface GrpcOptions {
  /** Of one message. A larger one is dropped. */
  readonly max_message_bytes: number;
  /** Asked before more bytes of an incomplete message are kept, and told of those given back (negative). */
  hold(bytes: number): boolean;
  message(message: GrpcMessage): void;
  /** A message is dropped for its size, or for want of room. */
  tooLarge(): void;
  /** It is no gRPC. */
  malformed(): void;
}

const PREFIX_BYTES = 5;

/** Reads length-prefixed messages (gRPC over HTTP2, "Length-Prefixed-Message"), fed with bytes cut anywhere. */
export function createGrpcReader(options: GrpcOptions): GrpcReader {
  let is_lost = false;

  const read = (all: Buffer): MessageProgress => {
    let at = 0;
    while (all.length - at >= PREFIX_BYTES) {
      const flag = all[at];
      if (flag !== 0 && flag !== 1) {
        is_lost = true;
        options.malformed();
        return { read_bytes: all.length, needed_bytes: PREFIX_BYTES };
      }
      const message_bytes = all.readUInt32BE(at + 1);
      const end = at + PREFIX_BYTES + message_bytes;
      if (message_bytes > options.max_message_bytes) options.tooLarge();
      else if (end > all.length) return { read_bytes: at, needed_bytes: end - at };
      else options.message({ data: all.subarray(at + PREFIX_BYTES, end), is_compressed: flag === 1 });
      at = end;
    }
    return { read_bytes: at, needed_bytes: PREFIX_BYTES };
  };
  const buffer = createMessageBuffer({ head_bytes: PREFIX_BYTES, hold: options.hold, read, noRoom: options.tooLarge });

  return {
    push(bytes) {
      if (!is_lost) buffer.push(bytes);
    },
    gap() {
      is_lost = true;
      buffer.clear();
    },
    end: buffer.end,
    get held_bytes() {
      return buffer.held_bytes;
    },
  };
}

/** Names of the status codes of gRPC ("Status codes and their use in gRPC"), by their numbers. */
const STATUS =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );

/** The error in the trailers of a response, or in its head when that is all of it. */
export function grpcError(fields: ReadonlyMap<string, string>): { type: string; message: string } | undefined {
  const code = fields.get('grpc-status');
  if (code === undefined || code === '0' || !/^\d{1,9}$/.test(code)) return undefined;
  return { type: STATUS[Number(code)] ?? code, message: percentDecoded(fields.get('grpc-message') ?? '') };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
