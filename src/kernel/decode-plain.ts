import type { PipeEndEvent, PlainDataEvent } from '../model/event.ts';
import * as raw from './events.gen.ts';
import { MalformedRecord, type RingRecord } from './record.ts';

const CHANNELS: Readonly<Record<number, PlainDataEvent['channel']>> = {
  [raw.plain_channel.PLAIN_SOCKET]: 'socket',
  [raw.plain_channel.PLAIN_PIPE]: 'pipe',
};

const DIRECTIONS: Readonly<Record<number, PlainDataEvent['direction']>> = {
  [raw.plain_direction.PLAIN_WRITE]: 'write',
  [raw.plain_direction.PLAIN_READ]: 'read',
};

const STATES: Readonly<Record<number, PipeEndEvent['state']>> = {
  [raw.pipe_end.PIPE_END_READER]: 'reader',
  [raw.pipe_end.PIPE_END_CLOSED]: 'closed',
};

export function decodePlainData(record: RingRecord): PlainDataEvent {
  const fields = raw.plain_data_event.read(record.view, 0);
  const channel = CHANNELS[fields.channel];
  const direction = DIRECTIONS[fields.direction];
  if (channel === undefined || direction === undefined) throw new MalformedRecord();
  return {
    kind: 'plain_data',
    ...record.base,
    channel,
    stream_id: fields.stream_id,
    direction,
    offset: fields.offset_bytes,
    data: new Uint8Array(record.take(fields.data_bytes)),
    lost_bytes: fields.lost_bytes,
  };
}

export function decodePipeEnd({ view, base }: RingRecord): PipeEndEvent {
  const fields = raw.pipe_end_event.read(view, 0);
  const state = STATES[fields.state];
  if (state === undefined) throw new MalformedRecord();
  return { kind: 'pipe_end', ...base, stream_id: fields.stream_id, state };
}
