import fc from 'fast-check';

type Json = unknown;
interface Damage {
  /** Which of all nodes, as a share. */
  readonly at: number;
  readonly kind: 'replace' | 'remove' | 'repeat' | 'nest' | 'rename';
  readonly value: Json;
}

const STRANGE: readonly Json[] = [
  null,
  true,
  -1,
  1e308,
  0.5,
  '',
  'x'.repeat(300),
  '\ud800',
  '{"a":',
  [],
  [[]],
  {},
  [null, 1, 'x', {}],
  Number.MAX_SAFE_INTEGER + 2,
];
const NAMES = ['__proto__', 'constructor', 'toString', 'length', 'type', 'id', 'index', ''];

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  kind: fc.constantFrom('replace', 'remove', 'repeat', 'nest', 'rename'),
  value: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STRANGE) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  ),
});

function nodeCount(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, child) => sum + nodeCount(child), 1);
}

/** Deep, but not as deep as would end the parser of the test. */
function nested(value: Json): Json {
  let deep = value;
  for (let depth = 0; depth < 200; depth++) deep = depth % 2 === 0 ? [deep] : { content: deep };
  return deep;
}

/** `value`, with its node number `index` (in depth-first order) damaged. */
function damaged(value: Json, { at, kind, value: strange }: Damage): Json {
  let left = Math.floor(at * nodeCount(value));
  const visit = (node: Json): Json => {
    if (left-- === 0) return kind === 'nest' ? nested(node) : strange;
    if (Array.isArray(node)) {
      return node.flatMap((child) => {
        const is_it = left === 0;
        const changed = visit(child);
        if (!is_it) return [changed];
        if (kind === 'remove') return [];
        return kind === 'repeat' ? [child, child, child] : [changed];
      });
    }
    if (typeof node !== 'object' || node === null) return node;
    const entries = Object.entries(node).flatMap(([name, child]): [string, Json][] => {
      const is_it = left === 0;
      const changed = visit(child);
      if (!is_it) return [[name, changed]];
      if (kind === 'remove') return [];
      if (kind === 'repeat') return [[name, [child, child]]];
      return kind === 'rename' ? [[NAMES[nodeCount(strange) % NAMES.length] ?? '', child]] : [[name, changed]];
    });
    return Object.fromEntries(entries);
  };
  return visit(value);
}

/** The values, some of them damaged, repeated, out of order or missing, as JSON texts; some texts are cut off. */
export function damagedJson(values: readonly Json[]): fc.Arbitrary<readonly string[]> {
  const places = fc.array(fc.tuple(fc.nat(values.length - 1), fc.array(damage, { minLength: 1, maxLength: 3 })), {
    maxLength: 4,
  });
  const order = fc.array(fc.tuple(fc.constantFrom('remove', 'repeat', 'swap', 'cut'), fc.nat(values.length)), {
    maxLength: 3,
  });
  return fc.tuple(places, order).map(([changes, moves]) => {
    const texts = values.map((value, index) => {
      const mine = changes.filter(([place]) => place === index).flatMap(([, damages]) => damages);
      return JSON.stringify(mine.reduce(damaged, value)) ?? 'null';
    });
    for (const [kind, index] of moves) {
      const text = texts[index];
      if (text === undefined) continue;
      if (kind === 'cut') texts[index] = text.slice(0, text.length >> 1);
      else if (kind === 'repeat') texts.splice(index, 0, text, text);
      else {
        texts.splice(index, 1);
        if (kind === 'swap') texts.splice(index + 2, 0, text);
      }
    }
    return texts;
  });
}
