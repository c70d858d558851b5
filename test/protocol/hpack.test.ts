import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createHpackDecoder, type HeaderBlock } from '../../src/protocol/hpack.ts';
import { HPACK_EXAMPLES } from './hpack-examples.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const lines = ({ fields }: HeaderBlock): string[] => fields.map(({ name, value }) => `${name ?? '?'}: ${value ?? '?'}`);
/** The size update with which a sender begins a block. */
const sizeUpdate = (bytes: number): Buffer => {
  const octets = [0x3f];
  let rest = bytes - 31;
  for (; rest >= 128; rest >>= 7) octets.push((rest & 127) | 128);
  return Buffer.from(bytes < 31 ? [0x20 | bytes] : [...octets, rest]);
};
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

describe('the examples of RFC 7541', () => {
  for (const { section, table_bytes, blocks } of HPACK_EXAMPLES) {
    test(section, () => {
      const decoder = createHpackDecoder(false);
      if (table_bytes !== 4096) decoder.decode(sizeUpdate(table_bytes));
      for (const block of blocks) {
        assert.deepEqual(decoder.decode(hex(block.hex)), {
          fields: block.fields.map((line) => {
            const [, name, value] = /^(:?[^:]+): (.*)$/.exec(line) ?? [];
            return { name, value };
          }),
          problem: undefined,
        });
      }
    });
  }
});

describe('a decoder that joined in the middle', () => {
  test('does not know the fields that were sent before, and knows those sent since', () => {
    const decoder = createHpackDecoder(true);
    assert.deepEqual(lines(decoder.decode(hex('82 be bf'))), [':method: GET', '?: ?', '?: ?']);
    assert.deepEqual(lines(decoder.decode(literal('a', 'b'))), ['a: b']);
    assert.deepEqual(lines(decoder.decode(hex('be bf'))), ['a: b', '?: ?']);
  });

  test('knows the new value of a field whose name it does not know', () => {
    const decoder = createHpackDecoder(true);
    assert.deepEqual(lines(decoder.decode(hex('7f 00 01 78 be'))), ['?: x', '?: x']);
  });

  test('never gives a wrong field, whatever the sender did before and however large its table is', () => {
    const name = fc.constantFrom(...'abcdefghij');
    const value = fc.string({ unit: fc.constantFrom('x', 'y'), maxLength: 60 });
    const blocks = fc.array(fc.array(fc.tuple(name, value, fc.boolean()), { maxLength: 6 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        blocks,
        fc.nat({ max: 12 }),
        fc.constantFrom(0, 40, 70, 100, 256, 1000, 4096),
        (sent, joined_at, table_bytes) => {
          const encode = createTestEncoder(table_bytes);
          const knowing = createHpackDecoder(false);
          const joining = createHpackDecoder(true);
          knowing.decode(sizeUpdate(table_bytes));
          sent.forEach((fields, index) => {
            const block = encode(fields);
            const truth = knowing.decode(block).fields;
            assert.deepEqual(
              truth,
              fields.map(([field_name, field_value]) => ({ name: field_name, value: field_value })),
            );
            if (index < joined_at) return;
            const seen = joining.decode(block);
            assert.equal(seen.problem, undefined);
            seen.fields.forEach((field, at) => {
              assert.ok(field.name === undefined || field.name === truth[at]?.name);
              assert.ok(field.value === undefined || field.value === truth[at]?.value);
            });
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('forgets what it knew when blocks were missed', () => {
    const decoder = createHpackDecoder(false);
    decoder.decode(literal('a', 'b'));
    decoder.lose();
    assert.deepEqual(lines(decoder.decode(hex('be'))), ['?: ?']);
  });
});

describe('the table', () => {
  test('forgets the oldest fields when the sender makes it smaller', () => {
    const decoder = createHpackDecoder(false);
    decoder.decode(Buffer.concat([literal('a', '1'), literal('b', '2')]));
    assert.deepEqual(lines(decoder.decode(Buffer.concat([sizeUpdate(40), hex('be')]))), ['b: 2']);
    assert.equal(decoder.decode(hex('bf')).problem, 'malformed');
  });

  test('is emptied by a field that is larger than it', () => {
    const decoder = createHpackDecoder(false);
    decoder.decode(Buffer.concat([sizeUpdate(40), literal('a', '1')]));
    assert.deepEqual(lines(decoder.decode(literal('large', 'larger'))), ['large: larger']);
    assert.equal(decoder.decode(hex('be')).problem, 'malformed');
  });

  test('may be as large as the receiver allows', () => {
    const decoder = createHpackDecoder(false);
    assert.equal(decoder.decode(sizeUpdate(4097)).problem, 'malformed');
    const allowing = createHpackDecoder(false);
    allowing.allow(10_000);
    assert.equal(allowing.decode(sizeUpdate(10_000)).problem, undefined);
  });

  test('larger than what is kept of it gives unknown fields, not wrong ones', () => {
    const decoder = createHpackDecoder(false);
    decoder.allow(1 << 20);
    decoder.decode(sizeUpdate(1 << 20));
    for (let count = 0; count < 1000; count++) decoder.decode(literal(`name-${count}`, 'v'.repeat(100)));
    assert.deepEqual(lines(decoder.decode(hex('be'))), [`name-999: ${'v'.repeat(100)}`]);
    assert.deepEqual(lines(decoder.decode(hex('ff a7 07'))), ['?: ?']);
  });
});

describe('a block that contradicts itself is malformed', () => {
  const cases: Readonly<Record<string, string>> = {
    'index 0': '80',
    'an index nobody gave': 'be',
    'a string longer than the block': '400a 6375',
    'an integer without end': 'ff ffff ffff ffff ffff',
    'an integer that is cut off': '7f',
    'Huffman code with the end-of-string symbol': '0001 6184 ffff ffff',
    'Huffman padding that is too long': '0001 6182 1fff',
    'Huffman padding of zeros': '0001 6181 18',
    'a size update after a field': '82 20',
  };
  for (const [name, text] of Object.entries(cases)) {
    test(name, () => {
      assert.equal(createHpackDecoder(false).decode(hex(text)).problem, 'malformed');
    });
  }

  test('whatever bytes come, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), fc.boolean(), (blocks, joined) => {
        const decoder = createHpackDecoder(joined);
        for (const block of blocks) assert.ok(decoder.decode(block).fields.length <= block.length);
      }),
      { numRuns: 500 },
    );
  });
});

test('a small block that stands for a huge list is cut', () => {
  const decoder = createHpackDecoder(false);
  decoder.decode(literal('a'.repeat(100), 'b'.repeat(120)));
  const { fields, problem } = decoder.decode(Buffer.alloc(200_000, 0xbe));
  assert.equal(problem, 'too_large');
  assert.ok(fields.length < 2000);
  assert.deepEqual(lines(decoder.decode(hex('82'))), [':method: GET']);
});

describe('what other encoders made', () => {
  const folder = process.env.UNDERSIGHT_HPACK_STORIES || undefined;
  if (folder === undefined) {
    test('stories', { skip: 'UNDERSIGHT_HPACK_STORIES names no folder with the stories of hpack-test-case' }, () => {});
    return;
  }
  for (const encoder of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    test(encoder.name, () => {
      const stories = readdirSync(join(folder, encoder.name)).filter((name) => name.endsWith('.json'));
      assert.ok(stories.length > 0);
      for (const name of stories) {
        const { cases } = JSON.parse(readFileSync(join(folder, encoder.name, name), 'utf8')) as { cases: StoryCase[] };
        const decoder = createHpackDecoder(false);
        for (const { wire, headers, header_table_size } of cases) {
          if (header_table_size !== undefined) decoder.allow(header_table_size);
          const block = decoder.decode(hex(wire));
          const expected = headers.flatMap((field) => Object.entries(field).map(([key, value]) => `${key}: ${value}`));
          assert.equal(block.problem, undefined, name);
          assert.deepEqual(lines(block), expected, name);
        }
      }
    });
  }
});

interface StoryCase {
  readonly wire: string;
  readonly headers: readonly Readonly<Record<string, string>>[];
  readonly header_table_size?: number;
}

/** Sends a field by index where it can, else as a literal that is indexed or not, as asked. */
function createTestEncoder(table_bytes: number) {
  let table: (readonly [string, string])[] = [];
  const used = () => table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  return (fields: readonly (readonly [string, string, boolean])[]): Buffer =>
    Buffer.concat(
      fields.map(([name, value, indexed]) => {
        const known = table.findIndex((entry) => entry[0] === name && entry[1] === value);
        if (known >= 0 && known < 60) return Buffer.from([0x80 | (62 + known)]);
        const block = literal(name, value);
        if (indexed) {
          table = [[name, value], ...table];
          while (used() > table_bytes) table.pop();
        } else block[0] = 0x00;
        return block;
      }),
    );
}
