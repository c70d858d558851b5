import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { createCaptureGaps } from '../../src/exchange/capture-gaps.ts';
import { grpcRequest } from '../../src/exchange/grpc-content.ts';
import { createResponseBody } from '../../src/exchange/response-body.ts';
import { grpcMessage } from '../protocol/proto-bytes.ts';

const HEADERS = new Map([
  ['content-type', 'application/grpc+proto'],
  ['grpc-encoding', 'gzip'],
]);
const TEXT = Buffer.from('a message of gRPC '.repeat(100));
const PACKED = grpcMessage(zlib.gzipSync(TEXT), true);

test('a request over gRPC is its first message, in plain', () => {
  assert.deepEqual(grpcRequest(grpcMessage(TEXT), HEADERS, 5000), { data: TEXT, problem: undefined });
  assert.deepEqual(grpcRequest(Buffer.concat([PACKED, grpcMessage(TEXT)]), HEADERS, 5000).data, TEXT);
  assert.equal(grpcRequest(PACKED.subarray(0, 20), HEADERS, 5000).problem, 'malformed');
  assert.equal(grpcRequest(PACKED, new Map(), 5000).problem, 'decompression');
});

describe('the configured bound of a body', () => {
  test('holds for a request over gRPC, as it is unpacked', () => {
    assert.equal(grpcRequest(PACKED, HEADERS, 1000).problem, 'too_large');
  });

  test('holds for each message of a response over gRPC, as it is unpacked', () => {
    for (const { max_body_bytes, told } of [
      { max_body_bytes: 5000, told: [TEXT.toString()] },
      { max_body_bytes: 1000, told: [] },
    ]) {
      const gaps = createCaptureGaps();
      const seen: string[] = [];
      const reader = {
        pushEvent: ({ message }: { message?: Buffer }) => void seen.push(String(message)),
        pushBody() {},
      };
      const budget = { max_body_bytes, max_buffered_bytes: 2 ** 20, buffered_bytes: 0 };
      const head = { kind: 'response', status: 200, reason: '', headers: HEADERS } as const;
      createResponseBody(head, reader, budget, gaps).push(PACKED, 1n);
      assert.deepEqual(seen, told);
      assert.deepEqual(
        gaps.list().map(({ reason }) => reason),
        told.length > 0 ? [] : ['too_large'],
      );
    }
  });
});
