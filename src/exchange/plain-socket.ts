import type { PlainDataEvent, TlsDataEvent } from '../model/event.ts';
import { plainConnection } from './connection-key.ts';

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
