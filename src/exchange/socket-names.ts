import { BoundedMap } from '../model/bounded-map.ts';
import type { NetOpenEvent } from '../model/event.ts';

export interface SocketNames {
  opened(event: NetOpenEvent): void;
  named(socket_id: bigint, server_name: string): void;
  /** The name the client asked for, else the peer's address; and the peer's port. */
  peer(socket_id: bigint): SocketPeer;
}

export interface SocketPeer {
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** The address is a path. */
  readonly is_unix: boolean;
}

interface SocketName {
  is_unix: boolean;
  address: string | undefined;
  port: number | undefined;
  server_name: string | undefined;
}

/** Remembers who is at the other end of each socket; of too many, the oldest is forgotten. */
export function createSocketNames(max_sockets: number): SocketNames {
  const sockets = new BoundedMap<bigint, SocketName>(max_sockets);
  const entry = (socket_id: bigint): SocketName => {
    const known = sockets.get(socket_id);
    if (known !== undefined) return known;
    const fresh: SocketName = { is_unix: false, address: undefined, port: undefined, server_name: undefined };
    sockets.set(socket_id, fresh);
    return fresh;
  };
  return {
    opened({ socket_id, operation, peer }) {
      if (socket_id === 0n || operation === 'listen') return;
      sockets.delete(socket_id);
      const socket = entry(socket_id);
      socket.is_unix = peer.family === 'unix' && peer.address !== '';
      if (socket.is_unix) socket.address = peer.address;
      if (peer.family !== 'ipv4' && peer.family !== 'ipv6') return;
      socket.address = peer.address;
      socket.port = peer.port;
    },
    named(socket_id, server_name) {
      if (socket_id !== 0n) entry(socket_id).server_name = server_name;
    },
    peer(socket_id) {
      const socket = sockets.get(socket_id);
      const address = socket?.server_name ?? socket?.address;
      return { address, port: socket?.port, is_unix: socket?.is_unix ?? false };
    },
  };
}
