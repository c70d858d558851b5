import type { NetIoEvent, NetOpenEvent, NetPayloadEvent } from '../model/event.ts';
import * as raw from './events.gen.ts';
import { MalformedRecord, type RingRecord } from './record.ts';
import { socketAddress } from './socket-address.ts';

const OPERATIONS: Readonly<Record<number, NetOpenEvent['operation']>> = {
  [raw.net_operation.NET_CONNECT]: 'connect',
  [raw.net_operation.NET_ACCEPT]: 'accept',
  [raw.net_operation.NET_LISTEN]: 'listen',
  [raw.net_operation.NET_INHERITED]: 'inherited',
};

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_MPTCP = 262;

export function decodeNetOpen(record: RingRecord): NetOpenEvent {
  const fields = raw.net_open_event.read(record.view, 0);
  const operation = OPERATIONS[fields.operation];
  if (operation === undefined) throw new MalformedRecord();
  const local = socketAddress(fields.local, record.take(fields.local.path_bytes));
  const peer = socketAddress(fields.peer, record.take(fields.peer.path_bytes));
  return {
    kind: 'net_open',
    ...record.base,
    operation,
    socket_id: fields.socket_id,
    fd: fields.fd,
    transport: local.family === 'unix' || peer.family === 'unix' ? 'unix' : transportOf(fields.protocol),
    local,
    peer,
    errno: fields.error,
  };
}

export function decodeNetIo({ view, base }: RingRecord): NetIoEvent {
  const { header: _, closed, ...fields } = raw.net_io_event.read(view, 0);
  return { kind: 'net_io', ...base, ...fields, closed: closed !== 0 };
}

const PAYLOADS: Readonly<Record<number, NetPayloadEvent['protocol']>> = {
  [raw.net_payload.PAYLOAD_DNS]: 'dns',
  [raw.net_payload.PAYLOAD_TLS_CLIENT_HELLO]: 'tls_client_hello',
};

export function decodeNetPayload(record: RingRecord): NetPayloadEvent {
  const { socket_id, payload, data_bytes } = raw.net_payload_event.read(record.view, 0);
  const protocol = PAYLOADS[payload];
  if (protocol === undefined) throw new MalformedRecord();
  const data = new Uint8Array(record.take(data_bytes));
  return { kind: 'net_payload', ...record.base, protocol, socket_id, payload: data };
}

function transportOf(protocol: number): NetOpenEvent['transport'] {
  if (protocol === IPPROTO_TCP || protocol === IPPROTO_MPTCP) return 'tcp';
  return protocol === IPPROTO_UDP ? 'udp' : 'other';
}
