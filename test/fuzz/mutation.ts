import fc from 'fast-check';
import type { RecordedPiece } from './recorded-traffic.ts';

/** A piece as it is captured: at an offset of its direction, which tells what is missing before it. */
export interface CapturedPiece extends RecordedPiece {
  readonly offset: bigint;
  readonly lost_bytes: number;
}

/** Places are shares of the whole, from 0 to 1, so that they fit any traffic. */
export type Loss = { readonly kind: 'missing' | 'truncated' | 'cut'; readonly at: number; readonly size: number };
export type Corruption =
  | Loss
  | { readonly kind: 'flip' | 'delete' | 'duplicate' | 'swap' | 'reverse'; readonly at: number; readonly size: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const at = { at: share, size: fc.nat(400) };

/** What a capture does to traffic: pieces are cut otherwise, or missing, and known to be. */
export const losses: fc.Arbitrary<readonly Loss[]> = fc.array(
  fc.record({ kind: fc.constantFrom('missing', 'truncated', 'cut'), ...at }),
  { maxLength: 6 },
);

/** Anything at all. */
export const corruptions: fc.Arbitrary<readonly Corruption[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('missing', 'truncated', 'cut'), ...at }),
    fc.record({ kind: fc.constantFrom('flip', 'delete', 'duplicate', 'swap', 'reverse'), ...at }),
    fc.record({ kind: fc.constant('insert'), at: share, bytes: fc.uint8Array({ maxLength: 80 }) }),
  ),
  { minLength: 1, maxLength: 8 },
);

/** The traffic as it is captured after all that happened to it. */
export function captured(pieces: readonly RecordedPiece[], happened: readonly Corruption[]): CapturedPiece[] {
  const taken: (RecordedPiece & { missing?: boolean; cut_bytes?: number })[] = [...pieces];
  for (const one of happened) {
    const index = Math.floor(one.at * taken.length);
    const piece = taken[index];
    if (piece === undefined) break;
    const { direction, data } = piece;
    switch (one.kind) {
      case 'missing':
        for (let i = index; i < Math.min(taken.length, index + 1 + (one.size % 5)); i++) {
          taken[i] = { ...(taken[i] as RecordedPiece), missing: true };
        }
        break;
      case 'truncated':
        taken[index] = { ...piece, cut_bytes: Math.min(one.size, data.length) };
        break;
      case 'cut': {
        const place = one.size % (data.length + 1);
        taken.splice(index, 1, { ...piece, data: data.subarray(0, place) }, { ...piece, data: data.subarray(place) });
        break;
      }
      case 'flip': {
        const flipped = Uint8Array.from(data);
        const place = one.size % Math.max(1, data.length);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << (one.size % 8));
        taken[index] = { direction, data: flipped };
        break;
      }
      case 'insert':
        taken.splice(index, 0, { direction, data: one.bytes });
        break;
      case 'delete':
        taken[index] = { direction, data: data.subarray(one.size % (data.length + 1)) };
        break;
      case 'duplicate':
        taken.splice(index, 0, piece);
        break;
      case 'swap':
        taken.splice(index, 1);
        taken.splice(Math.min(taken.length, index + (one.size % 8)), 0, piece);
        break;
      case 'reverse':
        taken[index] = { direction: direction === 'write' ? 'read' : 'write', data };
        break;
    }
  }
  const offsets = { write: 0n, read: 0n };
  return taken.flatMap(({ direction, data, missing, cut_bytes = 0 }) => {
    const offset = offsets[direction];
    offsets[direction] += BigInt(data.length);
    if (missing || data.length === 0) return [];
    const kept = data.subarray(0, Math.max(0, data.length - cut_bytes));
    return [{ direction, data: kept, offset, lost_bytes: data.length - kept.length }];
  });
}
