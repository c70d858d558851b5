import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBodyCollector } from '../../src/exchange/body-collector.ts';
import { createMessageReader } from '../../src/protocol/websocket-message-reader.ts';
import { keptBytes } from '../kept-bytes.ts';

test('a message that comes in fragments of one byte each takes about as much as it says', () => {
  const budget = { max_body_bytes: 2 ** 26, max_buffered_bytes: 2 ** 29, buffered_bytes: 0 };
  const fragments = 2 ** 20;
  const first = Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x61]);
  const more = Buffer.alloc(7 * 1024, Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x61]));
  const { bytes, kept } = keptBytes(() => {
    const reader = createMessageReader<number>(
      {
        masked: true,
        joined: false,
        inflater: undefined,
        max_message_bytes: budget.max_body_bytes,
        collect: () => createBodyCollector(budget),
      },
      { message() {}, damaged: (reason) => assert.fail(reason), closed() {}, skipped() {} },
    );
    reader.push(first, 0);
    for (let sent = 0; sent < fragments; sent += 1024) reader.push(Buffer.from(more), 0);
    return reader;
  });
  assert.equal(budget.buffered_bytes, fragments + 1);
  assert.ok(bytes < 8 * fragments, `${bytes} bytes are kept of ${fragments}`);
  kept.release();
  assert.equal(budget.buffered_bytes, 0);
});
