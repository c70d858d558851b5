import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { protoFields as readFields } from '../../src/protocol/protobuf.ts';
import { doubleField, floatField, protoField, varint } from './proto-bytes.ts';

const protoFields = (data: Buffer) => readFields(data, 1000)?.fields;

test('the fields of a message come in their order', () => {
  const message = [
    protoField(1, 'text'),
    protoField(2, 150),
    floatField(3, 0.5),
    doubleField(4, 0.25),
    protoField(15, 0),
  ];
  const fields = protoFields(Buffer.concat(message)) ?? assert.fail();
  assert.deepEqual(
    fields.map(({ number }) => number),
    [1, 2, 3, 4, 15],
  );
  assert.deepEqual(
    fields.map(({ value }) => (typeof value === 'bigint' ? value : value.toString('hex'))),
    [Buffer.from('text').toString('hex'), 150n, '0000003f', '000000000000d03f', 0n],
  );
  assert.deepEqual(protoFields(Buffer.alloc(0)), []);
});

test('numbers come out as they went in', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 1, max: 100_000 }), (value, number) => {
      const bytes = Buffer.concat([varint(number * 8), varint(value)]);
      assert.deepEqual(protoFields(bytes), [{ number, value }]);
    }),
  );
});

test('a message that is cut, or is none, gives nothing', () => {
  const message = Buffer.concat([protoField(1, 'text'), floatField(3, 0.5)]);
  for (let end = 1; end < message.length; end++) {
    if (end !== 6) assert.equal(protoFields(message.subarray(0, end)), undefined, String(end));
  }
  for (const bytes of [[0], [11], [12], [8], [8, ...Array(10).fill(255)], [10, 255, 255, 255, 255, 255, 1]]) {
    assert.equal(protoFields(Buffer.from(bytes)), undefined, bytes.join());
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void protoFields(Buffer.from(bytes))));
});

test('a message of more fields than are wanted says so', () => {
  const message = Buffer.concat(Array.from({ length: 10 }, (_, value) => protoField(1, value)));
  assert.equal(readFields(message, 10)?.is_cut, false);
  const { fields, is_cut } = readFields(message, 9) ?? assert.fail();
  assert.deepEqual([fields.length, is_cut], [9, true]);
});
