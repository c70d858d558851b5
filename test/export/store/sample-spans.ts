import fc from 'fast-check';
import type { AttributeValue, Resource, Span } from '../../../src/model/span.ts';

export const resource: Resource = { attributes: { 'service.name': 'demo-agent', 'process.pid': 42 } };

/** A plausible span; `part` overrides. */
export function sampleSpan(part: Partial<Span> = {}): Span {
  return {
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    span_id: 'b7ad6b7169203331',
    parent_span_id: undefined,
    parent_is_remote: false,
    trace_state: undefined,
    name: 'invoke_agent demo',
    kind: 'internal',
    start_unix_ns: 1_700_000_000_000_000_000n,
    end_unix_ns: 1_700_000_001_000_000_000n,
    attributes: {},
    content: {},
    events: [],
    links: [],
    status: { code: 'unset', message: undefined },
    resource,
    ...part,
  };
}

export function hexId(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** Objects as the program makes them. */
function plainRecord<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('__proto__', 'constructor', '\0', '"\\u0000"', '\ud800', '\\"\u2028', '[1,2', '[]', '[,]', '{"a":1}'),
);
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  hostileText,
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.array(hostileText, { maxLength: 4 }),
);
const attributes = fc.dictionary(hostileText, value, { maxKeys: 6, noNullPrototype: true });
const content = fc.dictionary(
  hostileText,
  fc.oneof(
    value,
    fc.json().map((text) => `[${text},${JSON.stringify('x'.repeat(100))}]`),
    hostileText.map((text) => `[${text.repeat(30)}, ]`),
    hostileText.map((text) => text.repeat(200)),
  ),
  { maxKeys: 4, noNullPrototype: true },
);
const time = fc.bigInt({ min: 0n, max: 2n ** 64n });
const optionalText = fc.option(hostileText, { nil: undefined });

/** Spans that hold whatever a watched process may put into them. */
export const anySpan: fc.Arbitrary<Span> = plainRecord({
  trace_id: fc.integer({ min: 0, max: 3 }).map((number) => hexId(number, 32)),
  span_id: fc.nat().map((number) => hexId(number, 16)),
  parent_span_id: fc.option(fc.constant('00000000000000ff'), { nil: undefined }),
  parent_is_remote: fc.boolean(),
  trace_state: optionalText,
  name: hostileText,
  kind: fc.constantFrom('internal', 'client', 'server'),
  start_unix_ns: time,
  end_unix_ns: time,
  attributes,
  content,
  events: fc.array(plainRecord({ name: hostileText, time_unix_ns: time, attributes }), { maxLength: 2 }),
  links: fc.array(
    plainRecord({
      trace_id: fc.constant('11'.repeat(16)),
      span_id: fc.constant('22'.repeat(8)),
      trace_state: optionalText,
      attributes,
    }),
    { maxLength: 2 },
  ),
  status: plainRecord({ code: fc.constantFrom('unset', 'ok', 'error'), message: optionalText }),
  resource: plainRecord({ attributes }),
});
