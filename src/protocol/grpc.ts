/** A message, as it was sent: `is_compressed` by what `grpc-encoding` names. */
export interface GrpcMessage {
  readonly data: Buffer;
  readonly is_compressed: boolean;
}

export interface GrpcReader {
  push(bytes: Uint8Array): void;
  /** Bytes are missing: nothing tells where the next message begins, and no more are told. */
  gap(): void;
}

export interface GrpcOptions {
  /** Of one message. A larger one is dropped. */
  readonly max_message_bytes: number;
  message(message: GrpcMessage): void;
  tooLarge(): void;
  /** It is no gRPC. */
  malformed(): void;
}

const PREFIX_BYTES = 5;

/** Reads length-prefixed messages (gRPC over HTTP2, "Length-Prefixed-Message"), fed with bytes cut anywhere. */
export function createGrpcReader(options: GrpcOptions): GrpcReader {
  let pieces: Uint8Array[] = [];
  let held_bytes = 0;
  let needed_bytes = PREFIX_BYTES;
  let skipped_bytes = 0;
  let is_lost = false;

  const lose = (): void => {
    pieces = [];
    held_bytes = 0;
    is_lost = true;
  };
  /** What begins at `at` as far as it is there: where the next begins, or undefined. */
  const next = (all: Buffer, at: number): number | undefined => {
    if (all.length - at < PREFIX_BYTES) return undefined;
    const flag = all[at];
    if (flag !== 0 && flag !== 1) {
      options.malformed();
      lose();
      return undefined;
    }
    const end = at + PREFIX_BYTES + all.readUInt32BE(at + 1);
    if (end - at - PREFIX_BYTES > options.max_message_bytes) {
      options.tooLarge();
      skipped_bytes = Math.max(0, end - all.length);
      return Math.min(end, all.length);
    }
    if (end > all.length) {
      needed_bytes = end - at;
      return undefined;
    }
    options.message({ data: all.subarray(at + PREFIX_BYTES, end), is_compressed: flag === 1 });
    return end;
  };

  return {
    push(bytes) {
      if (is_lost) return;
      const skipped = Math.min(skipped_bytes, bytes.length);
      skipped_bytes -= skipped;
      if (skipped === bytes.length) return;
      pieces.push(bytes.subarray(skipped));
      held_bytes += bytes.length - skipped;
      if (held_bytes < needed_bytes) return;
      const all = Buffer.concat(pieces, held_bytes);
      needed_bytes = PREFIX_BYTES;
      let at = 0;
      for (let end = next(all, at); end !== undefined; end = next(all, at)) at = end;
      if (is_lost) return;
      const rest = all.subarray(at);
      pieces = rest.length === 0 ? [] : [rest];
      held_bytes = rest.length;
    },
    gap: lose,
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
