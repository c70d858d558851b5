import fc from 'fast-check';

/** Numbers that an ELF file has no use for, as the fields of its headers are wide. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffff_ffffn,
  0x8000_0000n,
  1n << 53n,
  (1n << 60n) + 16n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

/** The bytes of a file with some changed, some fields of its headers made extreme, or cut. */
export function damaged(bytes: Buffer): fc.Arbitrary<Buffer> {
  const sections = Number(bytes.readBigUInt64LE(40));
  const places = [
    ...Array.from({ length: 22 }, (_, index) => 8 * index),
    ...Array.from({ length: (bytes.length - sections) / 8 }, (_, index) => sections + 8 * index),
  ];
  const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 });
  const fields = fc.array(fc.tuple(fc.constantFrom(...places), fc.constantFrom(...EXTREMES)), { maxLength: 2 });
  const length = fc.option(fc.nat(bytes.length), { nil: bytes.length, freq: 4 });
  return fc.tuple(changes, fields, length).map(([changes, fields, length]) => {
    const copy = Buffer.from(bytes);
    for (const [at, byte] of changes) copy[at] = byte;
    for (const [at, value] of fields) copy.writeBigUInt64LE(value, at);
    return copy.subarray(0, length);
  });
}
