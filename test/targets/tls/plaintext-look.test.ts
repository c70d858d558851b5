import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lookAtPlaintext } from '../../../src/targets/tls/plaintext-look.ts';

const look = (data: string | Buffer, lost_bytes = 0) =>
  lookAtPlaintext(Buffer.from(data as string, 'latin1'), lost_bytes);
const frame = (type: number, stream: number, payload: Buffer) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

test('HTTP of both versions and text are protocols', () => {
  assert.equal(look('GET / HTTP/1.1\r\n'), 'protocol');
  assert.equal(look('POST /v1/messages HTTP/1.1\r\nhost: x\r\n\r\n{}'), 'protocol');
  assert.equal(look('HTTP/1.1 200 OK\r\n'), 'protocol');
  assert.equal(look('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'protocol');
  assert.equal(look('event: ping\r\ndata: {"type": "ping"}\r\n\r\n'), 'protocol');
  const settings = frame(4, 0, Buffer.alloc(12));
  assert.equal(look(settings), 'protocol');
  assert.equal(look(Buffer.concat([settings, frame(8, 0, Buffer.alloc(4))])), 'protocol');
  // The last frame goes on in the next piece.
  assert.equal(look(frame(0, 1, Buffer.alloc(9000, 0xe5)).subarray(0, 4000)), 'protocol');
});

test('ciphertext, memory that nobody wrote to, and what cannot be read are implausible', () => {
  assert.equal(look(Buffer.from('1703030020', 'hex')), 'implausible');
  assert.equal(look(Buffer.concat([Buffer.from('1603010200', 'hex'), Buffer.alloc(512, 7)])), 'implausible');
  assert.equal(look(Buffer.alloc(64)), 'implausible');
  assert.equal(look(Buffer.alloc(0), 1), 'implausible');
});

test('compressed bodies and short pieces say nothing', () => {
  assert.equal(look(Buffer.from('1f8b0800000000000003abe6', 'hex')), 'unclear');
  assert.equal(look('ok'), 'unclear');
  assert.equal(look(Buffer.alloc(0)), 'unclear');
  const random = fc.sample(fc.uint8Array({ minLength: 64, maxLength: 64, min: 128 }), 50);
  for (const bytes of random) assert.notEqual(look(Buffer.from(bytes)), 'protocol');
});

test('no bytes make it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.ok(['protocol', 'implausible', 'unclear'].includes(lookAtPlaintext(bytes, 0)));
    }),
  );
});
