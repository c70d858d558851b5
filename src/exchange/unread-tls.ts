import { BoundedMap } from '../model/bounded-map.ts';
import type { NetIoEvent, NetPayloadEvent, ProcessKey, UnreadTrafficEvent } from '../model/event.ts';

/** Finds connections that carry TLS of which no plaintext is seen: made by a library that nobody reads. */
export interface UnreadTls {
  /** A process began a TLS connection. */
  hello(event: NetPayloadEvent): void;
  /** Plaintext of a process was seen: its library is read. */
  read(process: ProcessKey): void;
  /** The connection that the bytes show to be unread, told once. */
  moved(event: NetIoEvent): UnreadTrafficEvent | undefined;
  /** The process ended, or became another program. */
  forget(process: ProcessKey): void;
}

interface TlsSocket {
  bytes_sent: bigint;
  bytes_received: bigint;
}

const MAX_PROCESSES = 4096;
const MAX_SOCKETS = 4096;
/** What a handshake alone may send after its ClientHello: a key exchange, Finished, or an alert. */
const HANDSHAKE_SENT_BYTES = 600n;

/**
 * Only a process of whose TLS nothing was ever read counts: handshakes look the same whoever makes them, and a socket is not
 * always known to belong to a library's connection.
 */
export function createUnreadTls(): UnreadTls {
  const readable = new BoundedMap<ProcessKey, true>(MAX_PROCESSES);
  const sockets = new BoundedMap<string, TlsSocket>(MAX_SOCKETS);
  return {
    hello({ process, socket_id, payload }) {
      if (readable.get(process)) return;
      sockets.set(`${process}/${socket_id}`, { bytes_sent: -BigInt(payload.length), bytes_received: 0n });
    },
    read(process) {
      if (!readable.get(process)) readable.set(process, true);
    },
    moved({ ktime_ns, process, pid, tid, socket_id, bytes_sent, bytes_received, closed }) {
      const key = `${process}/${socket_id}`;
      const socket = sockets.get(key);
      if (socket === undefined) return undefined;
      socket.bytes_sent += bytes_sent;
      socket.bytes_received += bytes_received;
      const is_unread =
        !readable.get(process) && socket.bytes_sent > HANDSHAKE_SENT_BYTES && socket.bytes_received > 0n;
      // Plaintext is told when a call returns, the bytes of a long one before that: only the end of a connection is sure.
      if (!closed) return undefined;
      sockets.delete(key);
      return is_unread
        ? { kind: 'unread_traffic', ktime_ns, process, pid, tid, socket_id, protocol: 'tls' }
        : undefined;
    },
    forget(process) {
      readable.delete(process);
    },
  };
}
