import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { jsonItems } from '../../src/providers/json-items.ts';

const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { minLength: 1, maxLength: 5 });
const texts = (items: readonly unknown[]) => items.map((item) => JSON.stringify(item));

describe('the JSON objects of a text', () => {
  test('are the same one a line and in an array', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom('\n', '\r\n', '', ' \n\n'), (items, between) => {
        const expected = texts(items);
        for (const text of [expected.join(between), JSON.stringify(items), JSON.stringify(items, null, 2)]) {
          const found = jsonItems(text);
          assert.deepEqual(texts(found.items), expected);
          assert.equal(found.whole, true);
          assert.equal(found.malformed, false);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('that is cut off are those that came whole', () => {
    fc.assert(
      fc.property(objects, fc.nat(), fc.boolean(), (items, at, is_array) => {
        const expected = texts(items);
        const text = is_array ? `[${expected.join(',')}]` : `${expected.join('\n')}`;
        const cut = text.slice(0, at % text.length);
        const found = jsonItems(cut);
        assert.deepEqual(texts(found.items), expected.slice(0, found.items.length));
        if (is_array) assert.equal(found.whole, false);
        assert.equal(found.malformed, found.items.length === 0);
      }),
      { numRuns: 200 },
    );
  });

  test('are found beside what is none, of which there may be a hundred', () => {
    const found = jsonItems('{"a":1} {b} {"c":3}');
    assert.deepEqual(texts(found.items), ['{"a":1}', '{"c":3}']);
    assert.equal(found.malformed, true);
    assert.deepEqual(jsonItems(`${'{]'.repeat(100)}{"a":1}`).items, []);
  });

  test('are none in other JSON, or in no JSON', () => {
    for (const text of ['', '7', '"{}"', 'null', '<html>']) {
      assert.deepEqual(jsonItems(text), { items: [], whole: false, malformed: true }, text);
    }
    assert.deepEqual(jsonItems('[7, null]'), { items: [], whole: true, malformed: false });
  });
});
