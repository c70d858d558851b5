import type { Counters } from '../health/counters.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { EventBase, ProcessKey, TlsBindingEvent, TlsDataEvent } from '../model/event.ts';
import { heldEventBytes } from '../model/held-event.ts';
import { joinedConnection } from './connection-key.ts';

export interface HalfConnectionsOptions {
  /** Objects that are remembered, and sockets; of too many, the one that was silent longest is forgotten. */
  readonly max_halves: number;
  readonly counters: Counters;
  /** Takes the data of whole connections. */
  route(event: TlsDataEvent): void;
  /** Its socket was closed and nothing came since. */
  ended(closed: EventBase, connection: bigint): void;
}

/** Joins by socket what libraries keep in an object for each direction, and in new ones whenever keys change. */
export interface HalfConnections {
  /** Data whose socket is not known yet is held until it is. */
  push(event: TlsDataEvent): void;
  bind(event: Pick<TlsBindingEvent, 'connection' | 'socket_id'>): void;
  socketClosed(event: EventBase & { readonly socket_id: bigint }): void;
  /** Ends connections whose socket was closed before `until_ns`. */
  settle(until_ns: bigint): void;
  /** What it still holds belongs to no socket that was seen. */
  processEnded(process: ProcessKey): void;
  close(): void;
}

interface Half {
  /** 0n: not known. */
  socket_id: bigint;
  /** Where its stream begins in that of the socket; undefined until something of it is routed there. */
  base: bigint | undefined;
  held: TlsDataEvent[];
}

/** How far each direction has come. */
type Ends = Record<TlsDataEvent['direction'], bigint>;

const MAX_HELD_BYTES = 16 << 20;

export function createHalfConnections(options: HalfConnectionsOptions): HalfConnections {
  const { max_halves, counters } = options;
  /** Those that hold something, the one that began longest ago first. */
  const holding = new Set<Half>();
  let held_bytes = 0;
  const release = (half: Half): readonly TlsDataEvent[] => {
    const { held } = half;
    half.held = [];
    holding.delete(half);
    for (const event of held) held_bytes -= heldEventBytes(event);
    return held;
  };
  const drop = (half: Half): void => {
    const bytes = release(half).reduce((sum, { data, lost_bytes }) => sum + data.length + lost_bytes, 0);
    if (bytes > 0) counters.lost('exchange.unbound_bytes', bytes);
  };
  const halves = new BoundedMap<bigint, Half>(max_halves, (_, half) => drop(half));
  const sockets = new BoundedMap<bigint, Ends>(max_halves);
  const closed = new BoundedMap<bigint, EventBase>(max_halves);

  const halfOf = (connection: bigint): Half => {
    const half = halves.get(connection) ?? { socket_id: 0n, base: undefined, held: [] };
    halves.set(connection, half);
    return half;
  };
  const route = (half: Half, event: TlsDataEvent): void => {
    const { socket_id } = half;
    const ends = sockets.get(socket_id) ?? { write: 0n, read: 0n };
    sockets.set(socket_id, ends);
    closed.delete(socket_id);
    half.base ??= ends[event.direction];
    const offset = half.base + event.offset;
    const end = offset + BigInt(event.data.length + event.lost_bytes);
    if (end > ends[event.direction]) ends[event.direction] = end;
    options.route({ ...event, connection: joinedConnection(socket_id), socket_id, offset });
  };
  const bind = (half: Half, socket_id: bigint): void => {
    if (socket_id === 0n || socket_id === half.socket_id) return;
    half.socket_id = socket_id;
    half.base = undefined;
    for (const event of release(half)) route(half, event);
  };

  return {
    push(event) {
      const half = halfOf(event.connection);
      bind(half, event.socket_id);
      if (half.socket_id !== 0n) {
        route(half, event);
        return;
      }
      half.held.push(event);
      holding.add(half);
      held_bytes += heldEventBytes(event);
      for (const oldest of holding) {
        if (held_bytes <= MAX_HELD_BYTES) break;
        drop(oldest);
      }
    },
    bind({ connection, socket_id }) {
      bind(halfOf(connection), socket_id);
    },
    socketClosed(event) {
      if (sockets.get(event.socket_id) !== undefined) closed.set(event.socket_id, event);
    },
    settle(until_ns) {
      for (const [socket_id, event] of closed) {
        if (event.ktime_ns > until_ns) continue;
        closed.delete(socket_id);
        sockets.delete(socket_id);
        options.ended(event, joinedConnection(socket_id));
      }
    },
    processEnded(process) {
      for (const half of [...holding]) if (half.held[0]?.process === process) drop(half);
    },
    close() {
      for (const half of [...holding]) drop(half);
    },
  };
}
