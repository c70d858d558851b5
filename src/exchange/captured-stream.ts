import type { Counters } from '../health/counters.ts';
import { type ByteStream, type ByteStreamSink, createByteStream, type StreamPiece } from '../protocol/byte-stream.ts';

const MAX_HELD_BYTES = 1 << 20;
const MAX_HELD_PIECES = 256;

/** One direction of what the kernel side captured, in order; what comes twice is counted. */
export function createCapturedStream<Piece extends StreamPiece>(
  counters: Counters,
  sink: ByteStreamSink<Piece>,
): ByteStream<Piece> {
  return createByteStream(
    {
      max_held_bytes: MAX_HELD_BYTES,
      max_held_pieces: MAX_HELD_PIECES,
      dropped: (bytes) => counters.counted('exchange.repeated_bytes', bytes),
    },
    sink,
  );
}
