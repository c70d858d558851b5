import { BoundedMap } from '../model/bounded-map.ts';
import type { NetIoEvent, NetPayloadEvent, ProcessKey, TlsDataEvent, UnreadTrafficEvent } from '../model/event.ts';

/** Finds connections that carry TLS of which no plaintext, or only a part of it, is seen. */
export interface UnreadTls {
  /** A process began a TLS connection. */
  hello(event: NetPayloadEvent): void;
  /** Plaintext was seen. */
  read(event: TlsDataEvent): void;
  /** The connection that the bytes show to be unread, told once, at its end. */
  moved(event: NetIoEvent): UnreadTrafficEvent | undefined;
  /** The process ended, or became another program. */
  forget(process: ProcessKey): void;
}

interface TlsSocket {
  bytes_sent: bigint;
  bytes_received: bigint;
  written_bytes: bigint;
  is_read: boolean;
}

/** Of a process of which plaintext was seen: what connection objects wrote whose socket is not known, which may be any. */
type Unbound = Map<bigint, bigint>;

const MAX_PROCESSES = 4096;
const MAX_SOCKETS = 4096;
const MAX_UNBOUND = 1024;
/** What a handshake alone may send after its ClientHello: a key exchange, Finished, or an alert. */
const HANDSHAKE_SENT_BYTES = 250n;
/** The same with a client's certificate: of a connection that was read in part nothing smaller is sure to be missing. */
const HANDSHAKE_WITH_CERTIFICATE_BYTES = 4096n;
/** A record's header, nonce, padding and tag (RFC 8446 section 5.2, RFC 5288), and what HTTP writes in pieces. */
const RECORD_OVERHEAD_BYTES = 64n;

/** A socket is only judged where it is known which socket each connection of its process belongs to. */
export function createUnreadTls(): UnreadTls {
  const readable = new BoundedMap<ProcessKey, Unbound>(MAX_PROCESSES);
  const sockets = new BoundedMap<string, TlsSocket>(MAX_SOCKETS);
  return {
    hello({ process, socket_id, payload }) {
      const key = `${process}/${socket_id}`;
      const socket = sockets.get(key);
      if (socket !== undefined) socket.bytes_sent -= BigInt(payload.length);
      else {
        sockets.set(key, {
          bytes_sent: -BigInt(payload.length),
          bytes_received: 0n,
          written_bytes: 0n,
          is_read: false,
        });
      }
    },
    read({ process, connection, socket_id, direction, data, lost_bytes }) {
      let unbound = readable.get(process);
      if (unbound === undefined) {
        unbound = new Map();
        readable.set(process, unbound);
      }
      let written_bytes = unbound.get(connection) ?? 0n;
      if (direction === 'write') written_bytes += BigInt(data.length + lost_bytes) + RECORD_OVERHEAD_BYTES;
      if (socket_id === 0n) {
        if (unbound.size < MAX_UNBOUND) unbound.set(connection, written_bytes);
        return;
      }
      unbound.delete(connection);
      const socket = sockets.get(`${process}/${socket_id}`);
      if (socket === undefined) return;
      socket.is_read = true;
      socket.written_bytes += written_bytes;
    },
    moved({ ktime_ns, process, pid, tid, socket_id, bytes_sent, bytes_received, closed }) {
      const key = `${process}/${socket_id}`;
      const socket = sockets.get(key);
      if (socket === undefined) return undefined;
      socket.bytes_sent += bytes_sent;
      socket.bytes_received += bytes_received;
      // Plaintext is told when a call returns, the bytes of a long one before that: only the end of a connection is sure.
      if (!closed) return undefined;
      sockets.delete(key);
      const unbound = readable.get(process);
      if (socket.bytes_received === 0n || (unbound !== undefined && unbound.size > 0)) return undefined;
      const handshake_bytes = socket.is_read ? HANDSHAKE_WITH_CERTIFICATE_BYTES : HANDSHAKE_SENT_BYTES;
      if (socket.bytes_sent - socket.written_bytes <= handshake_bytes) return undefined;
      return { kind: 'unread_traffic', ktime_ns, process, pid, tid, socket_id, protocol: 'tls' };
    },
    forget(process) {
      readable.delete(process);
    },
  };
}
