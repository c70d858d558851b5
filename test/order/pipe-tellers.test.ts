import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { Event, PlainDataEvent } from '../../src/model/event.ts';
import { createPipeTellers } from '../../src/order/pipe-tellers.ts';

function tellers(options: { max_held_bytes?: number; max_pipes?: number } = {}) {
  const out: Event[] = [];
  const counters = createCounters();
  const stage = createPipeTellers({ ...options, wait_ns: 100n, counters }, { push: (event) => out.push(event) });
  const base = (pid: number, ktime_ns: number) =>
    ({ process: `${pid}:1`, pid, tid: pid, ktime_ns: BigInt(ktime_ns), stream_id: 5n }) as const;
  const data = (pid: number, direction: PlainDataEvent['direction'], ktime_ns: number, text: string, stream_id = 5n) =>
    stage.push({
      ...base(pid, ktime_ns),
      kind: 'plain_data',
      channel: 'pipe',
      direction,
      offset: 0n,
      data: Buffer.from(text),
      lost_bytes: 0,
      stream_id,
    });
  const said = () =>
    out.map((event) =>
      event.kind === 'plain_data'
        ? `${event.pid} ${event.direction}s ${Buffer.from(event.data)}`
        : event.kind === 'pipe_end'
          ? `${event.pid} ${event.state}`
          : event.kind,
    );
  const end = (pid: number, state: 'reader' | 'closed', ktime_ns = 1) =>
    stage.push({ ...base(pid, ktime_ns), kind: 'pipe_end', state });
  return { stage, data, end, said, counters };
}

test('what a reader tells before the writer is back from its call is told once, by the writer', () => {
  const { data, said, stage, counters } = tellers();
  data(2, 'read', 1, 'hel');
  data(2, 'read', 2, 'lo');
  data(1, 'write', 3, 'hello');
  data(2, 'read', 4, 'late');
  stage.close?.();
  assert.deepEqual(said(), ['1 writes hello', '2 reader']);
  assert.equal(counters.get('order.pipe_bytes_left_out'), 9);
});

test('a reader is told once, however often it is seen', () => {
  const { data, end, said } = tellers();
  data(1, 'write', 1, 'a');
  end(2, 'reader');
  end(2, 'reader');
  data(2, 'read', 2, 'a');
  end(3, 'reader');
  assert.deepEqual(said(), ['1 writes a', '2 reader', '3 reader']);
});

test('a reader whose writer never speaks is believed after a while, and then at once', () => {
  const { data, said, stage } = tellers();
  data(2, 'read', 1, 'a');
  stage.tick?.(100n);
  assert.deepEqual(said(), []);
  stage.tick?.(101n);
  data(2, 'read', 102, 'b');
  assert.deepEqual(said(), ['2 reads a', '2 reads b']);
});

test('a reader is believed when it closes its end, and when watching ends', () => {
  const first = tellers();
  first.data(2, 'read', 1, 'a');
  first.end(2, 'closed');
  assert.deepEqual(first.said(), ['2 reads a', '2 closed']);
  const second = tellers();
  second.data(2, 'read', 1, 'a');
  second.stage.close?.();
  assert.deepEqual(second.said(), ['2 reads a']);
});

test('a writer that speaks after its reader was believed is passed on, and counted', () => {
  const { data, said, stage, counters } = tellers();
  data(2, 'read', 1, 'a');
  stage.tick?.(500n);
  data(1, 'write', 501, 'b');
  assert.deepEqual(said(), ['2 reads a', '1 writes b']);
  assert.equal(counters.get('order.pipe_told_twice'), 1);
});

test('a pipe that gets the inode of one that was closed is another one', () => {
  const { data, end, said, stage } = tellers();
  data(1, 'write', 1, 'old');
  end(1, 'closed');
  data(9, 'read', 10, 'new');
  stage.tick?.(500n);
  assert.deepEqual(said(), ['1 writes old', '1 closed', '9 reads new']);
});

test('so is one that begins anew between other processes, though no end was seen', () => {
  const { data, end, said, stage } = tellers();
  data(1, 'write', 1, 'old');
  end(2, 'reader');
  data(9, 'read', 10, 'new');
  stage.tick?.(500n);
  data(8, 'write', 501, 'newer');
  data(7, 'write', 502, 'newest');
  end(9, 'reader');
  assert.deepEqual(said().slice(2), ['9 reads new', '8 writes newer', '7 writes newest', '9 reader']);
});

test('what waits is bounded, by bytes and by pipes', () => {
  const bytes = tellers({ max_held_bytes: 3 });
  bytes.data(2, 'read', 1, 'abcd');
  assert.deepEqual(bytes.said(), ['2 reads abcd']);
  const pipes = tellers({ max_pipes: 1 });
  pipes.data(2, 'read', 1, 'a', 5n);
  pipes.data(2, 'read', 1, 'b', 6n);
  assert.deepEqual(pipes.said(), ['2 reads a']);
});

test('pieces of no bytes count too', () => {
  const { stage, data, said } = tellers({ max_held_bytes: 20_000 });
  for (let count = 0; count < 100; count++) data(2, 'read', 1, '');
  assert.equal(said().length, 100);
  stage.close?.();
});

test('sockets and everything else pass as they are', () => {
  const { stage, said } = tellers();
  const base = { process: '1:1', pid: 1, tid: 1, ktime_ns: 1n } as const;
  const bytes = { stream_id: 5n, offset: 0n, data: Buffer.from('x'), lost_bytes: 0 };
  stage.push({ ...base, kind: 'plain_data', channel: 'socket', direction: 'read', ...bytes });
  stage.push({ ...base, kind: 'agent_seen', comm: '' });
  assert.deepEqual(said(), ['1 reads x', 'agent_seen']);
});
