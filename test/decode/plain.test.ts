import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import * as raw from '../../src/kernel/events.gen.ts';
import type { Event } from '../../src/model/event.ts';
import { makeRecord } from './record-builder.ts';

function decode(record: Uint8Array) {
  const events: Event[] = [];
  const counters = createCounters();
  createDecode({ counters }, { push: (event) => events.push(event) }).pushRecord(record);
  return { event: events[0], malformed: counters.get('kernel.malformed_record') };
}

const base = { ktime_ns: 1000n, process: '42:7', pid: 42, tid: 42 };
const { PLAIN_SOCKET, PLAIN_PIPE } = raw.plain_channel;
const { PLAIN_READ, PLAIN_WRITE } = raw.plain_direction;

test('bytes of a socket and of a pipe are told with where they belong', () => {
  const fields = { stream_id: 9n, offset_bytes: 10n, channel: PLAIN_SOCKET, direction: PLAIN_READ };
  const record = makeRecord('EVENT_PLAIN_DATA', {}, { ...fields, data_bytes: 5, lost_bytes: 3 }, 'hello');
  const { event } = decode(record);
  record.fill(0);
  const data = new Uint8Array(Buffer.from('hello'));
  const at = { stream_id: 9n, offset: 10n, data, lost_bytes: 3 };
  assert.deepEqual(event, { kind: 'plain_data', ...base, channel: 'socket', direction: 'read', ...at });
  const pipe = decode(makeRecord('EVENT_PLAIN_DATA', {}, { channel: PLAIN_PIPE, direction: PLAIN_WRITE })).event;
  assert.ok(pipe?.kind === 'plain_data');
  assert.deepEqual([pipe.channel, pipe.direction, pipe.data.length], ['pipe', 'write', 0]);
});

test('an end of a pipe is told with what became of it', () => {
  for (const [value, state] of [
    [raw.pipe_end.PIPE_END_READER, 'reader'],
    [raw.pipe_end.PIPE_END_CLOSED, 'closed'],
  ] as const) {
    const { event } = decode(makeRecord('EVENT_PIPE_END', {}, { stream_id: 4n, state: value }));
    assert.deepEqual(event, { kind: 'pipe_end', ...base, stream_id: 4n, state });
  }
});

test('what names no channel, direction or state is malformed', () => {
  for (const record of [
    makeRecord('EVENT_PLAIN_DATA', {}, { channel: 9, direction: PLAIN_READ }),
    makeRecord('EVENT_PLAIN_DATA', {}, { channel: PLAIN_PIPE, direction: 9 }),
    makeRecord('EVENT_PIPE_END', {}, { state: 9 }),
  ])
    assert.deepEqual(decode(record), { event: undefined, malformed: 1 });
});
