import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCaptureGaps } from '../../src/exchange/capture-gaps.ts';
import { createResponseBody } from '../../src/exchange/response-body.ts';
import { bedrockConverse, bedrockInvoke } from '../../src/providers/bedrock.ts';
import type { StreamEvent } from '../../src/providers/provider.ts';
import { awsEvent, awsMessage } from '../protocol/aws-event.ts';
import { grpcMessage } from '../protocol/proto-bytes.ts';
import { post } from '../providers/exchange-fixture.ts';

const STREAMS = {
  'application/vnd.amazon.eventstream': awsEvent('contentBlockDelta', { delta: { text: 'x'.repeat(5000) } }),
  'application/grpc': grpcMessage(Buffer.alloc(5000)),
};

function begin(content_type: string, max_buffered_bytes: number, onEvent = () => {}) {
  const budget = { max_body_bytes: 2 ** 20, max_buffered_bytes, buffered_bytes: 0 };
  const gaps = createCaptureGaps();
  const events: StreamEvent[] = [];
  const reader = {
    pushEvent(event: StreamEvent) {
      events.push(event);
      onEvent();
    },
    pushBody() {},
  };
  const headers = new Map([['content-type', content_type]]);
  const body = createResponseBody({ kind: 'response', status: 200, reason: '', headers }, reader, budget, gaps);
  return { body, budget, events, gaps };
}

describe('what is held of an event that is not whole', () => {
  for (const [content_type, event] of Object.entries(STREAMS)) {
    test(`counts among all that is buffered: ${content_type}`, () => {
      const { body, budget, events, gaps } = begin(content_type, 2 ** 20);
      body.push(event.subarray(0, 4000), 1n);
      assert.ok(budget.buffered_bytes > 3900, `${budget.buffered_bytes} bytes`);
      body.push(event.subarray(4000), 2n);
      assert.deepEqual([budget.buffered_bytes, events.length], [0, 1]);
      body.push(event.subarray(0, 4000), 3n);
      body.end(4n, false);
      assert.deepEqual([budget.buffered_bytes, gaps.list()], [0, []]);
    });

    test(`is given back when the body ends while an event is told: ${content_type}`, () => {
      const { body, budget, events } = begin(content_type, 2 ** 20, () => body.end(1n, false));
      body.push(Buffer.concat([event, event.subarray(0, 4000)]), 1n);
      assert.deepEqual([budget.buffered_bytes, events.length], [0, 1]);
    });

    test(`is dropped and told where there is no room: ${content_type}`, () => {
      const { body, budget, events, gaps } = begin(content_type, 3000);
      for (let at = 0; at < event.length; at += 1000) body.push(event.subarray(at, at + 1000), 1n);
      assert.deepEqual([budget.buffered_bytes, events.length], [0, 0]);
      assert.deepEqual(
        gaps.list().map(({ reason }) => reason),
        ['too_large'],
      );
      body.push(event, 2n);
      assert.equal(events.length, 1);
    });
  }
});

describe('an error of AWS that the model of the service lacks', () => {
  const headers = { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'Out of order' };
  for (const provider of [bedrockConverse, bedrockInvoke]) {
    test(`is told with its text, which stands in a header: ${provider.name}`, () => {
      const { body, events } = begin('application/vnd.amazon.eventstream', 2 ** 20);
      body.push(awsMessage(headers, new Uint8Array(0)), 1n);
      body.push(awsMessage({ ':message-type': 'error', ':error-code': 'Silent' }, new Uint8Array(0)), 2n);
      const results = events.map((event) => {
        const { request } = provider.parseRequest(post('h', '/model/m/converse-stream'), Buffer.from('{}'));
        const reader = provider.createResponseReader(request, { status: 200, headers: new Map() });
        reader.pushEvent(event, 1n);
        const { error, malformed } = reader.result();
        return { error, malformed };
      });
      assert.deepEqual(results, [
        { error: { type: 'InternalFailure', message: 'Out of order' }, malformed: undefined },
        { error: { type: 'Silent', message: '' }, malformed: undefined },
      ]);
    });
  }
});
