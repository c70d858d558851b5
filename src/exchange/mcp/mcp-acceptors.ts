import type { Counters } from '../../health/counters.ts';
import { BoundedMap } from '../../model/bounded-map.ts';
import type { EventBase, NetIoEvent, NetOpenEvent, SocketAddress } from '../../model/event.ts';
import type { McpParty } from './mcp-dialogue.ts';

/** Who serves connections on this machine: the processes that accepted them, as long as they are open. */
export interface McpAcceptors {
  /** True: it was waited for. */
  opened(event: NetOpenEvent): boolean;
  moved(event: NetIoEvent): void;
  processEnd(event: EventBase): void;
  clientOf(socket_id: bigint): McpClientEnd | undefined;
  /** undefined: not known yet, or not on this machine. */
  serverOf(client: McpClientEnd): McpParty | undefined;
}

/** A socket that a client connected. */
export type McpClientEnd = Pick<NetOpenEvent, 'transport' | 'process' | 'local' | 'peer'>;

interface Accepted extends McpParty {
  readonly socket_id: bigint;
}

export function createMcpAcceptors(max_connections: number, counters: Counters): McpAcceptors {
  // Of most it does not matter: they carry no MCP, or their call is told already.
  const forgotten = () => counters.counted('exchange.mcp_connection_ends_forgotten');
  const connected = new BoundedMap<bigint, McpClientEnd>(2 * max_connections, forgotten);
  const acceptors = new BoundedMap<string, Accepted>(2 * max_connections, forgotten);
  const ends_accepted = new BoundedMap<bigint, string>(2 * max_connections);
  /** Of calls whose server is not known. Who is forgotten is looked for again when the call ends. */
  const awaited = new BoundedMap<string, boolean>(max_connections);

  return {
    opened({ operation, socket_id, local, peer, transport, process, pid }) {
      if (operation === 'connect' && socket_id !== 0n) {
        connected.set(socket_id, { transport, process, local, peer });
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
      if (!closed) return;
      if (connected.get(socket_id)?.process === process) connected.delete(socket_id);
      const ends = ends_accepted.get(socket_id);
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
    clientOf: (socket_id) => connected.get(socket_id),
    serverOf({ local, peer }) {
      const ends = endsOf(local, peer);
      const server = acceptors.get(ends);
      if (server === undefined) awaited.set(ends, true);
      return server;
    },
  };
}

/** The client's end, and the server's port: its address may be another one to the client, who goes through a proxy. */
function endsOf({ address, port }: SocketAddress, server: SocketAddress): string {
  return `${address.replace(/^::ffff:/, '')}:${port} ${server.port}`;
}
