/** A piece of one direction of a connection. */
export interface StreamPiece {
  /** Position of `data` in the direction's stream, bytes. */
  readonly offset: bigint;
  readonly data: Uint8Array;
  /** Bytes after `data` that will never come. */
  readonly lost_bytes: number;
  readonly ktime_ns: bigint;
}

export interface ByteStreamSink<Piece> {
  data(data: Uint8Array, piece: Piece): void;
  /** `bytes` are missing here; `piece` is the one whose coming showed it. */
  gap(bytes: number, piece: Piece): void;
}

export interface ByteStreamOptions {
  /** How much may wait for what is before it. */
  readonly max_held_bytes: number;
  readonly max_held_pieces: number;
  /** Told of bytes that came twice, or too late. */
  readonly dropped: (bytes: number) => void;
}

export interface ByteStream<Piece> {
  push(piece: Piece): void;
  /** Stops waiting for the missing bytes before what came until `until_ns`. */
  flush(until_ns?: bigint): void;
  /** The position after all that was given out. */
  readonly end_offset: bigint;
}

/**
 * Puts the pieces of one direction in the order of their offsets. What is missing is given out as a gap once it is too
 * late to come; what comes twice is dropped, and the first copy wins.
 */
export function createByteStream<Piece extends StreamPiece>(
  options: ByteStreamOptions,
  sink: ByteStreamSink<Piece>,
): ByteStream<Piece> {
  const { max_held_bytes, max_held_pieces, dropped } = options;
  let expected = 0n;
  let held: Piece[] = [];
  let held_bytes = 0;

  const deliver = (piece: Piece): void => {
    const known = expected - piece.offset;
    if (known < 0n) sink.gap(Number(-known), piece);
    const skip = known > 0n ? Number(known) : 0;
    const fresh = skip === 0 ? piece.data : piece.data.subarray(Math.min(skip, piece.data.length));
    if (fresh.length < piece.data.length) dropped(piece.data.length - fresh.length);
    const data_end = piece.offset + BigInt(piece.data.length);
    if (data_end > expected) expected = data_end;
    if (fresh.length > 0) sink.data(fresh, piece);
    const lost_end = data_end + BigInt(piece.lost_bytes);
    if (lost_end > expected) {
      const lost = Number(lost_end - expected);
      expected = lost_end;
      sink.gap(lost, piece);
    }
  };
  const drain = (until_ns: bigint | undefined): void => {
    let taken = 0;
    for (const piece of held) {
      if (piece.offset > expected && until_ns !== undefined && piece.ktime_ns > until_ns) break;
      taken++;
      held_bytes -= piece.data.length;
      deliver(piece);
    }
    held = taken === held.length ? [] : held.slice(taken);
  };
  const hold = (piece: Piece): void => {
    let index = held.length;
    while (index > 0 && (held[index - 1] as Piece).offset > piece.offset) index--;
    held.splice(index, 0, piece);
    held_bytes += piece.data.length;
    if (held.length > max_held_pieces || held_bytes > max_held_bytes) drain(undefined);
  };

  return {
    get end_offset() {
      return expected;
    },
    push(piece) {
      if (piece.offset > expected) hold(piece);
      else {
        deliver(piece);
        if (held.length > 0) drain(-1n);
      }
    },
    flush(until_ns) {
      if (held.length > 0) drain(until_ns);
    },
  };
}
