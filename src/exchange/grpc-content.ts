import { type DecodedContent, decodeContent } from '../protocol/content-coding.ts';
import { createGrpcReader, type GrpcMessage } from '../protocol/grpc.ts';

export type Headers = ReadonlyMap<string, string>;

export const isGrpc = (content_type: string | undefined): boolean =>
  content_type?.startsWith('application/grpc') === true;

/** A message in plain, as the headers before it say that it is packed. */
export function grpcContent({ data, is_compressed }: GrpcMessage, headers: Headers, max_bytes: number): DecodedContent {
  return decodeContent(data, is_compressed ? [headers.get('grpc-encoding') ?? 'identity'] : [], max_bytes);
}

/** The first message of a request in plain; `malformed`: there is none that is whole. */
export function grpcRequest(
  body: Buffer,
  headers: Headers,
  max_bytes: number,
): { readonly data: Buffer; readonly problem: DecodedContent['problem'] | 'malformed' } {
  let first: DecodedContent | undefined;
  const reader = createGrpcReader({
    max_message_bytes: max_bytes,
    // It is a part of `body`, which is there already.
    hold: () => true,
    message(message) {
      first ??= grpcContent(message, headers, max_bytes);
    },
    tooLarge() {},
    malformed() {},
  });
  reader.push(body);
  return first ?? { data: Buffer.alloc(0), problem: 'malformed' };
}
