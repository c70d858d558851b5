import type { NetIoEvent, NetNameEvent, NetOpenEvent, UnreadTrafficEvent } from '../model/event.ts';
import { matchHost } from './argument-match.ts';
import type { McpServing } from './mcp-serving.ts';
import {
  addSocket,
  addSocketTraffic,
  createNetworkFold,
  createSocket,
  describeNetwork,
  networkKey,
  type Socket,
} from './network-fold.ts';
import { explainingPlace, lineagePlace, unexplainedEffectPlace } from './placement.ts';
import { ownPlace, type ProcessSegments } from './process-segments.ts';
import type { Process } from './process-tree.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

const MAX_SOCKETS = 4096;
const MAX_FOLDS = 1024;
/** Connections to one peer that have an activity each, beside the one that holds all others. */
const MAX_APART = 8;

/** Folds what processes do on the network, and tells of it when they exit or their turn ends. */
export class NetworkFolds {
  readonly #turns: Turns;
  readonly #segments: ProcessSegments;
  readonly #serving: McpServing;
  #number = 0;

  constructor(turns: Turns, segments: ProcessSegments, serving: McpServing) {
    this.#turns = turns;
    this.#segments = segments;
    this.#serving = serving;
  }

  opened(process: Process, event: NetOpenEvent): void {
    const { socket_id, fd, operation } = event;
    if (operation === 'inherited' && this.#isKnown(process, event)) return;
    const asked = process.sockets.get(socket_id);
    if (event.errno !== 0 && asked !== undefined) {
      asked.errno = event.errno;
      asked.end_ns = event.ktime_ns;
      return;
    }
    const socket = createSocket(event, this.#turns.lost_count);
    socket.server_name = process.scope?.names.get(event.peer.address);
    if (socket.is_used) this.#place(process, socket, event.ktime_ns);
    if (isLookup(event)) {
      this.#countNoise(process, socket);
      return;
    }
    if (event.errno !== 0 || socket_id === 0n) {
      this.#fold(process, socket, false);
      return;
    }
    if (asked !== undefined) this.#fold(process, asked, false);
    process.sockets.set(socket_id, socket);
    if (process.sockets.size <= MAX_SOCKETS) return;
    const oldest = process.sockets.entries().next().value;
    if (oldest === undefined) return;
    process.sockets.delete(oldest[0]);
    this.#fold(process, oldest[1], false);
    if (fd >= 0) this.#turns.counters.lost('correlate.sockets_evicted');
  }

  moved(process: Process, event: NetIoEvent): void {
    const socket = process.sockets.get(event.socket_id);
    if (socket === undefined) {
      this.#turns.counters.lost('correlate.unknown_socket');
      return;
    }
    addSocketTraffic(socket, event);
    const has_bytes = event.bytes_sent + event.bytes_received > 0n;
    if (has_bytes) this.#revive(process, socket, event.first_ns);
    if (!event.closed) return;
    process.sockets.delete(event.socket_id);
    this.#fold(process, socket, false);
  }

  /** A DNS answer, or the name that a TLS connection asked for. */
  named(process: Process, event: NetNameEvent): void {
    const { socket_id, source, name, addresses, error_type, ktime_ns } = event;
    const socket = process.sockets.get(socket_id);
    if (source === 'sni') {
      if (socket === undefined) return;
      socket.server_name = name;
      if (!socket.carries_calls && socket.turn?.is_ended === false) this.#place(process, socket, socket.start_ns);
      return;
    }
    for (const address of addresses) process.scope?.names.set(address, name);
    if (socket === undefined) return;
    this.#revive(process, socket, ktime_ns);
    if (socket.operation !== 'resolve') {
      Object.assign(socket, { operation: 'resolve', server_name: name, dns_error: error_type, is_used: true });
      return;
    }
    if (socket.server_name === name) return;
    const question: Socket = { ...socket, bytes_sent: 0n, bytes_received: 0n, retransmits: 0, server_name: name };
    question.start_ns = ktime_ns;
    question.end_ns = ktime_ns;
    question.dns_error = error_type;
    this.#fold(process, question, false);
  }

  unread(process: Process, { socket_id, protocol }: UnreadTrafficEvent): void {
    const socket = process.sockets.get(socket_id);
    if (socket !== undefined) socket.unread_protocol = protocol;
  }

  /** The agent's own connection to its model hangs under the turn. */
  carriesCall(process: Process, socket_id: bigint, turn: Turn, server_name: string | undefined): void {
    const socket = process.sockets.get(socket_id);
    if (socket === undefined) return;
    const { address, port } = socket.peer;
    for (const host of [address, server_name]) turn.scope.model_peers.set(`${host}:${port}`, true);
    const is_name = server_name !== undefined && server_name !== socket.peer.address;
    if (is_name) socket.server_name ??= server_name;
    socket.is_used = true;
    socket.carries_calls = true;
    if (socket.turn?.is_ended === false && socket.turn === turn && socket.place?.parent_id === turn.root_id) return;
    socket.turn = turn;
    socket.place = lineagePlace(turn.root_id, undefined);
    turn.processes.add(process);
  }

  /** Tells what a process did on the network in one turn; has to come before the process's own activity. */
  flush(process: Process, turn: Turn, end_ns: bigint): void {
    for (const [id, socket] of process.sockets) {
      if (socket.turn !== turn) continue;
      const is_open = process.exit === undefined;
      if (!is_open) process.sockets.delete(id);
      if (is_open && end_ns > socket.end_ns) socket.end_ns = end_ns;
      const fold_id = socket.is_used ? this.#fold(process, socket, is_open) : undefined;
      const { retransmits } = socket;
      Object.assign(socket, { turn: undefined, place: undefined, continues: fold_id, is_used: false });
      Object.assign(socket, { bytes_sent: 0n, bytes_received: 0n, retransmits_told: retransmits });
    }
    for (const [key, fold] of process.connections) {
      if (fold.turn !== turn) continue;
      process.connections.delete(key);
      const place = fold.place ?? ownPlace(process, turn);
      const { id, start_ns, continues, lost_before, is_open: open } = fold;
      const telling = { id, parent_id: place.parent_id, start_ns, end_ns: fold.end_ns, open, continues, lost_before };
      this.#turns.tell(turn, telling, describeNetwork(process, fold, place));
    }
  }

  /** A snapshot, the kernel's first sight, and what was seen already tell of one descriptor by different ids. */
  #isKnown(process: Process, { socket_id, fd }: NetOpenEvent): boolean {
    if (process.sockets.has(socket_id)) return true;
    for (const [id, other] of process.sockets) {
      if (!other.is_inherited || other.fd !== fd) continue;
      process.sockets.delete(id);
      if (other.is_used) this.#fold(process, other, false);
    }
    return false;
  }

  /** A socket that is used again after the turn that told of it has ended goes on in the one that is. */
  #revive(process: Process, socket: Socket, at_ns: bigint): void {
    socket.is_used = true;
    if (socket.turn?.is_ended === false) return;
    if (socket.turn !== undefined || socket.continues !== undefined) {
      socket.start_ns = at_ns;
      socket.lost_before = this.#turns.lost_count;
    }
    this.#place(process, socket, at_ns);
  }

  #place(process: Process, socket: Socket, at_ns: bigint): void {
    const latest = this.#turns.agentTurn(process, at_ns);
    if (latest === undefined) {
      const names = [socket.server_name, socket.peer.address];
      const served = this.#serving.placeOf(process, (evidence) => matchHost(names, socket.peer.port, evidence));
      socket.turn = served?.turn ?? this.#segments.of(process, at_ns)?.turn;
      socket.place = served?.place;
      socket.turn?.processes.add(process);
      return;
    }
    const names = [socket.server_name, socket.peer.address];
    socket.turn = latest;
    // Where the model is, an agent's own connections are taken for its calls, though a tool call may name the host.
    const is_models =
      socket.carries_calls ||
      names.some((name) => latest.scope.model_peers.get(`${name}:${socket.peer.port}`) === true);
    socket.place = is_models ? lineagePlace(latest.root_id, undefined) : unexplainedEffectPlace(latest, at_ns);
    for (const turn of is_models ? [] : this.#turns.agentTurns(process, at_ns)) {
      const { tool_window } = this.#turns.options;
      const place = explainingPlace(turn, at_ns, tool_window, (evidence) =>
        matchHost(names, socket.peer.port, evidence),
      );
      if (place === undefined) continue;
      socket.turn = turn;
      socket.place = place;
      break;
    }
    socket.turn.processes.add(process);
  }

  #countNoise(process: Process, { turn, place }: Socket): void {
    if (place === undefined && process.segment !== undefined) process.segment.noise_file_count++;
    else if (turn !== undefined) turn.noise_file_count++;
  }

  /** The first connections to a peer are told one by one; what is more, looked up or failed, together. */
  #keyOf(process: Process, turn: Turn, socket: Socket): string {
    const key = `${turn.root_id} ${networkKey(socket, socket.place?.parent_id ?? '')}`;
    if (socket.operation !== 'connect') return key;
    if (socket.errno !== 0) return `${key} ${socket.errno}`;
    const first = process.connections.get(key);
    if (first === undefined || first.apart_count === MAX_APART) return key;
    return `${key} apart ${++first.apart_count}`;
  }

  #fold(process: Process, socket: Socket, is_open: boolean): string | undefined {
    const { turn } = socket;
    if (!socket.is_used || turn === undefined || turn.is_ended) return undefined;
    if (isProbe(socket) && !is_open) {
      this.#turns.counters.counted('correlate.udp_probes');
      return undefined;
    }
    const key = this.#keyOf(process, turn, socket);
    let fold = process.connections.get(key);
    if (fold === undefined) {
      if (process.connections.size >= MAX_FOLDS) {
        this.#turns.counters.lost('correlate.connections_not_folded');
        if (socket.place === undefined && process.segment !== undefined) process.segment.left_out_count++;
        else turn.left_out_count++;
        return undefined;
      }
      const id = `${process.id}/network/${++this.#number}`;
      fold = createNetworkFold(id, turn, { ...socket });
      process.connections.set(key, fold);
    }
    addSocket(fold, socket, is_open);
    return fold.id;
  }
}

/** Every look-up of a user or host name asks for the name service's cache, which is hardly ever there. */
function isLookup({ peer, errno }: NetOpenEvent): boolean {
  return errno !== 0 && peer.family === 'unix' && /\/(nscd|sss|userdb)\b/.test(peer.address);
}

/** A UDP socket is connected, and nothing sent, to learn which address of its own the kernel would take (RFC 6724). */
function isProbe({ transport, operation, errno, bytes_sent, bytes_received, continues }: Socket): boolean {
  const is_silent = bytes_sent + bytes_received === 0n && continues === undefined;
  return transport === 'udp' && operation === 'connect' && errno === 0 && is_silent;
}
