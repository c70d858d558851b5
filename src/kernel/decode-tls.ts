import type { TlsBindingEvent, TlsCloseEvent, TlsDataEvent } from '../model/event.ts';
import * as raw from './events.gen.ts';
import { MalformedRecord, type RingRecord } from './record.ts';

const DIRECTIONS: Readonly<Record<number, TlsDataEvent['direction']>> = {
  [raw.tls_direction.TLS_WRITE]: 'write',
  [raw.tls_direction.TLS_READ]: 'read',
};

export function decodeTlsData(record: RingRecord): TlsDataEvent {
  const fields = raw.tls_data_event.read(record.view, 0);
  const direction = DIRECTIONS[fields.direction];
  if (direction === undefined) throw new MalformedRecord();
  return {
    kind: 'tls_data',
    ...record.base,
    connection: fields.connection,
    ...(fields.is_half !== 0 && { half: true as const }),
    socket_id: fields.socket_id,
    direction,
    offset: fields.offset_bytes,
    data: new Uint8Array(record.take(fields.data_bytes)),
    lost_bytes: fields.lost_bytes,
    call_start_ns: fields.call_start_ns,
    library: fields.library,
  };
}

export function decodeTlsClose({ view, base }: RingRecord): TlsCloseEvent {
  return { kind: 'tls_close', ...base, connection: raw.tls_close_event.read(view, 0).connection };
}

export function decodeTlsBinding({ view, base }: RingRecord): TlsBindingEvent {
  const { connection, socket_id } = raw.tls_binding_event.read(view, 0);
  return { kind: 'tls_binding', ...base, connection, socket_id };
}
