import fc from 'fast-check';

/** `bytes` in one piece, and byte by byte. */
export function plainCuts(bytes: Uint8Array): { readonly name: string; readonly pieces: readonly Uint8Array[] }[] {
  return [
    { name: 'whole', pieces: [bytes] },
    { name: 'byte by byte', pieces: cutAt(bytes, [...bytes.keys()]) },
  ];
}

/** Cuts `bytes` at these positions. */
export function cutAt(bytes: Uint8Array, positions: readonly number[]): readonly Uint8Array[] {
  const ends = [...new Set([...positions, bytes.length])].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}

/** `bytes` cut at random places. */
export function randomCuts(bytes: Uint8Array): fc.Arbitrary<readonly Uint8Array[]> {
  return fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }).map((positions) => cutAt(bytes, positions));
}
