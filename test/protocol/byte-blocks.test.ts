import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createByteBlocks } from '../../src/protocol/byte-blocks.ts';
import { keptBytes } from '../kept-bytes.ts';

test('what went in comes out, whenever it is asked for', () => {
  const piece = fc.uint8Array({ maxLength: 700 });
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 30 }), (pieces) => {
      const blocks = createByteBlocks();
      const given: Uint8Array[] = [];
      const asked: { told: Buffer; whole: Buffer }[] = [];
      for (const [data, asks] of pieces) {
        blocks.add(data);
        given.push(Uint8Array.from(data));
        data.fill(0);
        if (asks) asked.push({ told: blocks.joined(), whole: Buffer.concat(given) });
      }
      assert.deepEqual(blocks.joined(), Buffer.concat(given));
      assert.equal(blocks.bytes, Buffer.concat(given).length);
      for (const { told, whole } of asked) assert.deepEqual(told, whole);
      blocks.clear();
      assert.deepEqual([blocks.bytes, blocks.joined().length], [0, 0]);
    }),
  );
});

test('bytes that come one by one take little more room than they are', () => {
  const count = 2 ** 20;
  const { bytes, kept } = keptBytes(() => {
    const blocks = createByteBlocks();
    for (let at = 0; at < count; at++) blocks.add(new Uint8Array([at]));
    return blocks;
  });
  assert.equal(kept.bytes, count);
  assert.ok(bytes < 2 * count, `${bytes} bytes are kept of ${count}`);
});
