import type { ActivityBase, NetworkActivity } from '../model/activity.ts';
import { errnoName } from '../model/errno-name.ts';
import type { NetIoEvent, NetOpenEvent, SocketAddress } from '../model/event.ts';
import { addressScope, listenScope } from './address-scope.ts';
import type { Place } from './placement.ts';
import type { Process } from './process-tree.ts';
import type { Turn } from './turn.ts';

/** One socket of one process, as far as it was not told yet. */
export interface Socket {
  readonly id: bigint;
  readonly fd: number;
  readonly is_inherited: boolean;
  operation: NetworkActivity['operation'];
  readonly transport: NetworkActivity['transport'];
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  server_name: string | undefined;
  /** It carries the agent's own calls of the model. */
  carries_calls: boolean;
  turn: Turn | undefined;
  /** undefined: under the process's own activity. */
  place: Place | undefined;
  /** The activity that told of it in a turn that ended. */
  continues: string | undefined;
  start_ns: bigint;
  end_ns: bigint;
  bytes_sent: bigint;
  bytes_received: bigint;
  /** Since the connection began, and of that what was told. */
  retransmits: number;
  retransmits_told: number;
  rtt_us: number;
  errno: number;
  /** What a DNS answer says instead of addresses. */
  dns_error: string | undefined;
  unread_protocol: string | undefined;
  is_used: boolean;
  lost_before: number;
}

/** A socket of a process, or many that did the same with the same peer in the same place. */
export interface NetworkFold {
  readonly id: string;
  turn: Turn;
  readonly place: Place | undefined;
  readonly continues: string | undefined;
  readonly first: Socket;
  start_ns: bigint;
  end_ns: bigint;
  bytes_sent: bigint;
  bytes_received: bigint;
  retransmits: number;
  rtt_us: number;
  count: number;
  /** Activities of the same kind that are kept apart from it. */
  apart_count: number;
  is_open: boolean;
  has_succeeded: boolean;
  unread_protocol: string | undefined;
  readonly lost_before: number;
}

/** What an inherited socket is for. The local port of a raw socket is the number of its protocol. */
function operationOf({ operation, transport, local, peer }: NetOpenEvent): Socket['operation'] {
  if (operation !== 'inherited') return operation;
  return transport !== 'other' && peer.port === 0 && local.port !== 0 ? 'listen' : 'connect';
}

export function createSocket(event: NetOpenEvent, lost_before: number): Socket {
  const { socket_id, fd, operation, transport, local, peer, ktime_ns, errno } = event;
  return {
    id: socket_id,
    fd,
    is_inherited: operation === 'inherited',
    operation: operationOf(event),
    transport,
    local,
    peer,
    server_name: undefined,
    carries_calls: false,
    turn: undefined,
    place: undefined,
    continues: undefined,
    start_ns: ktime_ns,
    end_ns: ktime_ns,
    bytes_sent: 0n,
    bytes_received: 0n,
    retransmits: 0,
    retransmits_told: 0,
    rtt_us: 0,
    errno,
    dns_error: undefined,
    unread_protocol: undefined,
    is_used: operation !== 'inherited',
    lost_before,
  };
}

export function addSocketTraffic(socket: Socket, event: NetIoEvent): void {
  socket.bytes_sent += event.bytes_sent;
  socket.bytes_received += event.bytes_received;
  socket.retransmits = event.retransmits;
  if (event.rtt_us !== 0) socket.rtt_us = event.rtt_us;
  const has_bytes = event.bytes_sent + event.bytes_received > 0n;
  if (!socket.is_used && has_bytes && event.first_ns > socket.start_ns) socket.start_ns = event.first_ns;
  if (has_bytes) socket.is_used = true;
  const end_ns = event.closed ? event.ktime_ns : event.last_ns;
  if (end_ns > socket.end_ns) socket.end_ns = end_ns;
}

/** Names the fold that a socket belongs to. The ports that the kernel chose say nothing. */
export function networkKey({ operation, local, peer, transport, server_name }: Socket, parent_id: string): string {
  const port = operation === 'accept' || operation === 'listen' ? local.port : peer.port;
  const name = operation === 'resolve' ? server_name : '';
  const address = operation === 'listen' ? local.address : peer.address;
  return JSON.stringify([operation, transport, address, port, name, parent_id]);
}

export function createNetworkFold(id: string, turn: Turn, socket: Socket): NetworkFold {
  return {
    id,
    turn,
    place: socket.place,
    continues: socket.continues,
    first: socket,
    start_ns: socket.start_ns,
    end_ns: socket.end_ns,
    bytes_sent: 0n,
    bytes_received: 0n,
    retransmits: 0,
    rtt_us: 0,
    count: 0,
    apart_count: 0,
    is_open: false,
    has_succeeded: false,
    unread_protocol: undefined,
    lost_before: socket.lost_before,
  };
}

export function addSocket(fold: NetworkFold, socket: Socket, is_open: boolean): void {
  fold.count++;
  if (socket.start_ns < fold.start_ns) fold.start_ns = socket.start_ns;
  if (socket.end_ns > fold.end_ns) fold.end_ns = socket.end_ns;
  fold.bytes_sent += socket.bytes_sent;
  fold.bytes_received += socket.bytes_received;
  fold.retransmits += Math.max(0, socket.retransmits - socket.retransmits_told);
  if (socket.rtt_us !== 0) fold.rtt_us = socket.rtt_us;
  fold.is_open ||= is_open;
  fold.has_succeeded ||= socket.errno === 0 && socket.dns_error === undefined;
  fold.unread_protocol ??= socket.unread_protocol;
  fold.first.server_name ??= socket.server_name;
}

/** What is particular to the activity of a fold. */
export function describeNetwork(
  process: Process,
  fold: NetworkFold,
  place: Place,
): Omit<NetworkActivity, keyof ActivityBase> {
  const { operation, transport, local, peer, server_name, errno, dns_error } = fold.first;
  return {
    kind: 'network',
    process: process.key,
    pid: process.pid,
    operation,
    scope: operation === 'listen' ? listenScope(local) : addressScope(peer),
    transport,
    local,
    peer,
    server_name,
    bytes_sent: fold.bytes_sent,
    bytes_received: fold.bytes_received,
    retransmits: fold.retransmits,
    rtt_us: fold.rtt_us,
    count: fold.count,
    error_type: fold.has_succeeded ? undefined : (dns_error ?? (errno === 0 ? undefined : errnoName(errno))),
    unread_protocol: fold.unread_protocol,
    correlation: place.correlation,
  };
}
