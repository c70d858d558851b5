/**
 * What the kernel saw, and the few facts user space looked up, as the pipeline's input. All times are CLOCK_MONOTONIC
 * in ns, the kernel's `bpf_ktime_get_ns`. Strings come from watched processes: hostile, never to be evaluated.
 */

/** A process that cannot be confused with another one that reused its pid: `pid:start_ns`. */
export type ProcessKey = `${number}:${bigint}`;

export interface EventBase {
  readonly ktime_ns: bigint;
  /** The process (thread group) on whose behalf it happened, in the initial pid namespace. */
  readonly process: ProcessKey;
  readonly pid: number;
  readonly tid: number;
}

/** A process was forked. Threads are not processes. */
export interface ProcessForkEvent extends EventBase {
  readonly kind: 'process_fork';
  readonly parent: ProcessKey;
  readonly parent_pid: number;
  /** The thread of the parent that forked. */
  readonly parent_tid: number;
  readonly comm: string;
}

/** A new image runs, or a process that was running before us was found (`origin: 'snapshot'`). */
export interface ProcessExecEvent extends EventBase {
  readonly kind: 'process_exec';
  readonly origin: 'exec' | 'snapshot';
  /** False: of no watched tree, told only so that user space can recognise agents; goes no further than that. */
  readonly watched: boolean;
  readonly parent: ProcessKey | undefined;
  readonly parent_pid: number;
  /** The pid as the process itself sees it, in its innermost pid namespace. */
  readonly namespace_pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly cgroup_id: bigint;
  readonly comm: string;
  readonly executable_path: string;
  readonly working_directory: string;
  readonly args: readonly string[];
  /** Bytes of arguments that could not be read. */
  readonly args_lost_bytes: number;
}

export interface ProcessExitEvent extends EventBase {
  readonly kind: 'process_exit';
  /** 0..255. With `signal` set it is meaningless. */
  readonly exit_code: number;
  readonly signal: number;
}

/** A file was opened, or an opening failed (`errno` > 0), or a descriptor opened before we watched was first used. */
export interface FileOpenEvent extends EventBase {
  readonly kind: 'file_open';
  readonly origin: 'open' | 'inherited';
  /** Ties this opening to its `file_io` events; 0n when it failed. */
  readonly file_id: bigint;
  readonly fd: number;
  /** The flags of open(2). */
  readonly flags: number;
  /** st_mode; 0 when it failed. */
  readonly mode: number;
  readonly errno: number;
  /** This call made the file. */
  readonly created?: boolean;
  /** Absolute, as the process's mount namespace names it. */
  readonly path: string;
}

/** Bytes moved through one opening since the last such event. `closed` marks the last one. */
export interface FileIoEvent extends EventBase {
  readonly kind: 'file_io';
  readonly file_id: bigint;
  readonly fd: number;
  readonly bytes_read: bigint;
  readonly bytes_written: bigint;
  readonly read_count: number;
  readonly write_count: number;
  readonly first_ns: bigint;
  readonly last_ns: bigint;
  readonly closed: boolean;
}

export type FileChangeOperation = 'unlink' | 'rmdir' | 'rename' | 'mkdir' | 'truncate' | 'link' | 'symlink';

/** The name space changed without an open file. */
export interface FileChangeEvent extends EventBase {
  readonly kind: 'file_change';
  readonly operation: FileChangeOperation;
  readonly path: string;
  /** Of rename, link, symlink: the other name. */
  readonly new_path: string | undefined;
  readonly errno: number;
}

export interface SocketAddress {
  readonly family: 'ipv4' | 'ipv6' | 'unix' | 'other';
  /** IP address in text form, or the socket's path (abstract ones begin with `@`). */
  readonly address: string;
  readonly port: number;
}

/** A socket got a peer or began to listen, or a socket opened before we watched was first used. */
export interface NetOpenEvent extends EventBase {
  readonly kind: 'net_open';
  readonly operation: 'connect' | 'accept' | 'listen' | 'inherited';
  /** Ties this to its `net_io`, `net_payload`, `tls_data` and `plain_data` events. 0n when it failed. */
  readonly socket_id: bigint;
  readonly fd: number;
  readonly transport: 'tcp' | 'udp' | 'unix' | 'other';
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  /** > 0: the call failed. EINPROGRESS is not a failure. */
  readonly errno: number;
}

/** Traffic of one socket since the last such event (bytes), and the connection's state now (the rest). */
export interface NetIoEvent extends EventBase {
  readonly kind: 'net_io';
  readonly socket_id: bigint;
  readonly fd: number;
  readonly bytes_sent: bigint;
  readonly bytes_received: bigint;
  /** Since the connection began. 0 for what is not TCP. */
  readonly retransmits: number;
  /** Smoothed, microseconds. 0: unknown. */
  readonly rtt_us: number;
  readonly first_ns: bigint;
  readonly last_ns: bigint;
  readonly closed: boolean;
}

/** Plain bytes of a socket that carry a name: a DNS answer, or the first bytes of a TLS connection (ClientHello). */
export interface NetPayloadEvent extends EventBase {
  readonly kind: 'net_payload';
  readonly protocol: 'dns' | 'tls_client_hello';
  readonly socket_id: bigint;
  readonly payload: Uint8Array;
}

/** A piece of the plaintext that crossed a TLS library's boundary. */
export interface TlsDataEvent extends EventBase {
  readonly kind: 'tls_data';
  /** The library's connection object, as an address in the process. Addresses are reused: see `tls_close`. */
  readonly connection: bigint;
  /** `connection` is the number of an object that serves this direction alone, until its keys change: see `tls_binding`. */
  readonly half?: true;
  /** 0n while it is not known yet which socket carries it. */
  readonly socket_id: bigint;
  readonly direction: 'write' | 'read';
  /** Position of this piece in its direction's stream since the connection object was first seen. */
  readonly offset: bigint;
  readonly data: Uint8Array;
  /** Bytes after `data` that the kernel side had to leave out. */
  readonly lost_bytes: number;
  /** When the library call that carried it began; it ended at `ktime_ns`. */
  readonly call_start_ns: bigint;
  /** Number that was given to the file whose probe told it; 0 or undefined: none. */
  readonly library?: number;
}

/** The TLS library freed its connection object. */
export interface TlsCloseEvent extends EventBase {
  readonly kind: 'tls_close';
  readonly connection: bigint;
}

/** An object that serves one direction of a TLS connection was seen to belong to a socket. */
export interface TlsBindingEvent extends EventBase {
  readonly kind: 'tls_binding';
  readonly connection: bigint;
  readonly socket_id: bigint;
}

/** Bytes that moved unencrypted through a descriptor: HTTP over a socket, or lines of JSON-RPC between an agent and a tool server. */
export interface PlainDataEvent extends EventBase {
  readonly kind: 'plain_data';
  /** `socket`: a TCP or named unix socket, seen by the process that holds this end. `pipe`: a pipe or a pair of nameless unix sockets. */
  readonly channel: 'socket' | 'pipe';
  /**
   * socket: its id as in `net_open`. pipe: the same for both ends: its inode; of a pair of sockets each direction has an id of
   * its own, the receiving end's inode.
   */
  readonly stream_id: bigint;
  /** Of a pipe: told by who writes; by who reads only when nobody watched writes. */
  readonly direction: 'write' | 'read';
  /** Position of this piece in this direction's stream since it was first looked at. */
  readonly offset: bigint;
  readonly data: Uint8Array;
  /** Bytes after `data` that the kernel side had to leave out. */
  readonly lost_bytes: number;
}

/** A watched process reads a pipe that another one's `plain_data` tells (its first read), or closed its end. */
export interface PipeEndEvent extends EventBase {
  readonly kind: 'pipe_end';
  readonly stream_id: bigint;
  readonly state: 'reader' | 'closed';
}

/** A process nobody told us to watch was seen sending a request to an LLM API; it is followed from now on. */
export interface AgentSeenEvent extends EventBase {
  readonly kind: 'agent_seen';
  readonly comm: string;
}

/** Something happened that we cannot see into. */
export interface BlindSpotEvent extends EventBase {
  readonly kind: 'blind_spot';
  readonly reason: 'io_uring' | 'compat_syscalls';
}

/** The kernel side lost records; `process` is that of the reader. */
export interface LossEvent extends EventBase {
  readonly kind: 'loss';
  readonly reason: string;
  readonly count: number;
}

/** A process is the root of a watched tree, because of `reason`. */
export interface TargetEvent extends EventBase {
  readonly kind: 'target';
  readonly reason: 'launched' | 'catalogue' | 'rule' | 'traffic';
  readonly agent_name: string;
  readonly agent_version: string | undefined;
}

/** What user space looked up about a process: the environment variables that matter, names for ids. */
export interface ProcessFactsEvent extends EventBase {
  readonly kind: 'process_facts';
  /** Only of the allow-list: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, TRACEPARENT, TRACESTATE. */
  readonly environment: Readonly<Record<string, string>>;
  readonly user_name: string | undefined;
  readonly container_id: string | undefined;
  readonly home_directory: string | undefined;
}

/** First in every stream: what ties kernel time to the world. */
export interface SessionEvent extends EventBase {
  readonly kind: 'session';
  /** Add to a `ktime_ns` to get ns since the Unix epoch. */
  readonly unix_offset_ns: bigint;
  readonly boot_id: string;
  readonly host_name: string;
  readonly host_id: string;
  /** As Node names it: `x64`, `arm64`. */
  readonly host_arch: string;
  readonly os_release: string;
  readonly undersight_version: string;
}

/**
 * Made by the exchange stage: a TLS connection speaks something it cannot read; `tls`: its plaintext is not seen at all. Told
 * once per connection.
 */
export interface UnreadTrafficEvent extends EventBase {
  readonly kind: 'unread_traffic';
  readonly socket_id: bigint;
  readonly protocol: 'http2' | 'websocket' | 'unknown' | 'tls';
}

/** Made by the exchange stage out of `net_payload`: what a DNS answer or a TLS ClientHello says. */
export interface NetNameEvent extends EventBase {
  readonly kind: 'net_name';
  readonly socket_id: bigint;
  readonly source: 'dns' | 'sni';
  readonly name: string;
  /** Of a DNS answer: the addresses it gives, IPv4 or IPv6 text. */
  readonly addresses: readonly string[];
  /** Of a DNS answer that is an error: NXDOMAIN, SERVFAIL, ... */
  readonly error_type: string | undefined;
}

export type KernelEvent =
  | ProcessForkEvent
  | ProcessExecEvent
  | ProcessExitEvent
  | FileOpenEvent
  | FileIoEvent
  | FileChangeEvent
  | NetOpenEvent
  | NetIoEvent
  | NetPayloadEvent
  | TlsDataEvent
  | TlsCloseEvent
  | TlsBindingEvent
  | PlainDataEvent
  | PipeEndEvent
  | AgentSeenEvent
  | BlindSpotEvent
  | LossEvent;

export type FactEvent = TargetEvent | ProcessFactsEvent | SessionEvent;

export type Event = KernelEvent | FactEvent | NetNameEvent | UnreadTrafficEvent;
