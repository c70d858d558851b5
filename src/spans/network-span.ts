import {
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_LOCAL_ADDRESS,
  ATTR_NETWORK_LOCAL_PORT,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_TRANSPORT,
  ATTR_NETWORK_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import type { NetworkActivity } from '../model/activity.ts';
import type { SocketAddress } from '../model/event.ts';
import { spanName } from './bounded-attributes.ts';
import {
  ATTR_DNS_QUESTION_NAME,
  ATTR_UNDERSIGHT_CAPTURE_UNREAD_PROTOCOL,
  ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED,
  ATTR_UNDERSIGHT_NETWORK_BYTES_SENT,
  ATTR_UNDERSIGHT_NETWORK_COUNT,
  ATTR_UNDERSIGHT_NETWORK_OPERATION,
  ATTR_UNDERSIGHT_NETWORK_RETRANSMITS,
  ATTR_UNDERSIGHT_NETWORK_RTT,
  ATTR_UNDERSIGHT_NETWORK_SCOPE,
} from './semconv.gen.ts';
import { effectBody, type SpanBody, unlessEmpty, unlessZero } from './span-body.ts';

const KINDS = { connect: 'client', resolve: 'client', accept: 'server', listen: 'internal' } as const;

export function networkSpan(activity: NetworkActivity): SpanBody {
  const { operation, peer, local, server_name } = activity;
  // The server is the other end of what we connect to, and our own end of what we accept.
  const server_side = operation === 'connect' ? peer : local;
  const server = operation === 'resolve' ? undefined : server_name;
  return effectBody(activity, {
    name: spanName(operation, activity.scope),
    kind: KINDS[operation],
    failed: activity.error_type !== undefined,
    attributes: {
      [ATTR_NETWORK_TRANSPORT]: activity.transport,
      [ATTR_NETWORK_TYPE]: [peer.family, local.family].find((family) => family === 'ipv4' || family === 'ipv6'),
      [ATTR_NETWORK_PEER_ADDRESS]: unlessEmpty(peer.address),
      [ATTR_NETWORK_PEER_PORT]: portOf(peer),
      [ATTR_NETWORK_LOCAL_ADDRESS]: unlessEmpty(local.address),
      [ATTR_NETWORK_LOCAL_PORT]: portOf(local),
      [ATTR_SERVER_ADDRESS]: server,
      [ATTR_SERVER_PORT]: server === undefined ? undefined : portOf(server_side),
      [ATTR_DNS_QUESTION_NAME]: operation === 'resolve' ? server_name : undefined,
      [ATTR_ERROR_TYPE]: activity.error_type,
      [ATTR_UNDERSIGHT_NETWORK_OPERATION]: operation,
      [ATTR_UNDERSIGHT_NETWORK_SCOPE]: activity.scope,
      [ATTR_UNDERSIGHT_NETWORK_BYTES_SENT]: unlessZero(activity.bytes_sent),
      [ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED]: unlessZero(activity.bytes_received),
      [ATTR_UNDERSIGHT_NETWORK_RETRANSMITS]: unlessZero(activity.retransmits),
      [ATTR_UNDERSIGHT_NETWORK_RTT]: activity.rtt_us === 0 ? undefined : activity.rtt_us / 1e6,
      [ATTR_UNDERSIGHT_NETWORK_COUNT]: activity.count,
      [ATTR_UNDERSIGHT_CAPTURE_UNREAD_PROTOCOL]: activity.unread_protocol,
    },
    content: {},
  });
}

function portOf({ family, port }: SocketAddress): number | undefined {
  return family === 'ipv4' || family === 'ipv6' ? unlessZero(port) : undefined;
}
