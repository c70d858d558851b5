import type { PlainDataEvent, TlsDataEvent } from '../model/event.ts';

/** The key of a connection that is a socket itself: TLS connections have addresses, which are positive. */
export function plainConnection(socket_id: bigint): bigint {
  return -socket_id;
}

export function isPlainConnection(connection: bigint): boolean {
  return connection < 0n;
}

/** What moved through a plain socket, as if a TLS library had told it; the kernel does not say when the call began. */
export function plaintextOf({ stream_id, ...event }: PlainDataEvent): TlsDataEvent {
  return {
    ...event,
    kind: 'tls_data',
    connection: plainConnection(stream_id),
    socket_id: stream_id,
    call_start_ns: event.ktime_ns,
  };
}
