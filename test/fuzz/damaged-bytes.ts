import fc from 'fast-check';

type Damage =
  | {
      readonly kind: 'flip' | 'delete' | 'duplicate' | 'truncate' | 'zero' | 'ones';
      readonly at: number;
      readonly size: number;
    }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('flip', 'delete', 'duplicate', 'truncate', 'zero', 'ones'),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    size: fc.nat(300),
  }),
  fc.record({
    kind: fc.constant('insert'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ maxLength: 64 }),
  }),
);

function damaged(bytes: Uint8Array, one: Damage): Uint8Array {
  const at = Math.floor(one.at * bytes.length);
  if (one.kind === 'insert') return Buffer.concat([bytes.subarray(0, at), one.bytes, bytes.subarray(at)]);
  const end = at + (one.size % 40) + 1;
  const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (one.kind) {
    case 'flip':
      return Buffer.concat([
        head,
        piece.map((byte, index) => (index === 0 ? byte ^ (1 << (one.size % 8)) : byte)),
        tail,
      ]);
    case 'delete':
      return Buffer.concat([head, tail]);
    case 'duplicate':
      return Buffer.concat([head, ...Array(1 + (one.size % 20)).fill(piece), tail]);
    case 'truncate':
      return head;
    case 'zero':
      return Buffer.concat([head, new Uint8Array(piece.length), tail]);
    case 'ones':
      return Buffer.concat([head, new Uint8Array(piece.length).fill(255), tail]);
  }
}

/** One of the seeds, damaged in some places, or bytes of no seed. */
export function damagedBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const broken = fc
    .tuple(fc.constantFrom(...seeds), fc.array(damage, { maxLength: 6 }))
    .map(([seed, damages]) => damages.reduce(damaged, seed));
  return fc.oneof({ weight: 9, arbitrary: broken }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) });
}

/** The bytes in pieces; a number stands for as many that are missing. */
export function pieces(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<readonly (Uint8Array | number)[]> {
  const sizes = fc.array(fc.tuple(fc.nat(200), fc.oneof(fc.constant(0), fc.constant(0), fc.nat(100))), {
    maxLength: 12,
  });
  return fc.tuple(bytes, sizes).map(([whole, cuts]) => {
    const cut: (Uint8Array | number)[] = [];
    let at = 0;
    for (const [size, missing] of cuts) {
      if (size > 0) cut.push(whole.subarray(at, at + size));
      if (missing > 0) cut.push(missing);
      at += size + missing;
    }
    cut.push(whole.subarray(at));
    return cut.filter((piece) => typeof piece === 'number' || piece.length > 0);
  });
}
