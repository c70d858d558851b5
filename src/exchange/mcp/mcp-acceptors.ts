import { BoundedMap } from '../../model/bounded-map.ts';
import type { EventBase, NetIoEvent, NetOpenEvent, SocketAddress } from '../../model/event.ts';
import type { McpParty } from './mcp-dialogue.ts';

/** Who serves connections on this machine: the processes that accepted them, as long as they are open. */
export interface McpAcceptors {
  /** True: it was waited for. */
  opened(event: NetOpenEvent): boolean;
  moved(event: NetIoEvent): void;
  processEnd(event: EventBase): void;
  /** Of a client's socket. */
  transportOf(socket_id: bigint): 'tcp' | 'unix';
  /** Of a client's socket; undefined: not known yet, or not on this machine. */
  serverOf(socket_id: bigint): McpParty | undefined;
}

interface Accepted extends McpParty {
  readonly socket_id: bigint;
}

export function createMcpAcceptors(max_connections: number): McpAcceptors {
  /** Of clients: both ends, by socket. */
  const connected = new BoundedMap<bigint, Pick<NetOpenEvent, 'transport'> & { readonly ends: string }>(
    2 * max_connections,
  );
  const acceptors = new BoundedMap<string, Accepted>(2 * max_connections);
  const ends_accepted = new BoundedMap<bigint, string>(2 * max_connections);
  /** Of calls whose server is not known. */
  const awaited = new BoundedMap<string, boolean>(max_connections);

  return {
    opened({ operation, socket_id, local, peer, transport, process, pid }) {
      if (operation === 'connect' && socket_id !== 0n) {
        connected.set(socket_id, { ends: endsOf(local, peer), transport });
      }
      if (operation !== 'accept' || peer.port === 0) return false;
      const ends = endsOf(peer, local);
      acceptors.set(ends, { process, pid, socket_id });
      ends_accepted.set(socket_id, ends);
      const is_awaited = awaited.get(ends) === true;
      awaited.delete(ends);
      return is_awaited;
    },
    moved({ closed, socket_id, process }) {
      const ends = closed ? ends_accepted.get(socket_id) : undefined;
      if (ends === undefined) return;
      const accepted = acceptors.get(ends);
      if (accepted?.socket_id !== socket_id || accepted.process !== process) return;
      ends_accepted.delete(socket_id);
      acceptors.delete(ends);
    },
    processEnd({ process }) {
      for (const [ends, accepted] of [...acceptors]) {
        if (accepted.process !== process) continue;
        acceptors.delete(ends);
        ends_accepted.delete(accepted.socket_id);
      }
    },
    transportOf: (socket_id) => (connected.get(socket_id)?.transport === 'unix' ? 'unix' : 'tcp'),
    serverOf(socket_id) {
      const ends = connected.get(socket_id)?.ends;
      const server = ends === undefined ? undefined : acceptors.get(ends);
      if (ends !== undefined && server === undefined) awaited.set(ends, true);
      return server;
    },
  };
}

/** The client's end, and the server's port: its address may be another one to the client, who goes through a proxy. */
function endsOf({ address, port }: SocketAddress, server: SocketAddress): string {
  return `${address.replace(/^::ffff:/, '')}:${port} ${server.port}`;
}
