import * as raw from '../../src/kernel/events.gen.ts';

export interface Header {
  readonly ktime_ns?: bigint;
  readonly sequence?: number;
  readonly start_ns?: bigint;
  readonly cpu?: number;
  readonly pid?: number;
  readonly tid?: number;
}

type Struct = { readonly size: number; readonly offset: Readonly<Record<string, number>> };
type Fields = Readonly<Record<string, number | bigint | Uint8Array>>;

const STRUCTS = {
  EVENT_PROCESS_FORK: raw.process_fork_event,
  EVENT_PROCESS_EXEC: raw.process_exec_event,
  EVENT_PROCESS_ARGS: raw.process_args_event,
  EVENT_PROCESS_EXIT: raw.process_exit_event,
  EVENT_FILE_OPEN: raw.file_open_event,
  EVENT_FILE_IO: raw.file_io_event,
  EVENT_FILE_CHANGE: raw.file_change_event,
  EVENT_NET_OPEN: raw.net_open_event,
  EVENT_NET_IO: raw.net_io_event,
  EVENT_NET_PAYLOAD: raw.net_payload_event,
  EVENT_TLS_DATA: raw.tls_data_event,
  EVENT_TLS_CLOSE: raw.tls_close_event,
  EVENT_TLS_BINDING: raw.tls_binding_event,
  EVENT_PLAIN_DATA: raw.plain_data_event,
  EVENT_PIPE_END: raw.pipe_end_event,
  EVENT_AGENT_SEEN: raw.agent_seen_event,
  EVENT_BLIND_SPOT: raw.blind_spot_event,
} as const satisfies Readonly<Record<string, Struct>>;

/** A record as the ring would hold it. `data` follows the struct; bigints are 64 bits wide, numbers 32, arrays as they are. */
export function makeRecord(
  kind: keyof typeof STRUCTS,
  header: Header,
  fields: Fields = {},
  ...data: readonly (string | Uint8Array)[]
): Buffer {
  const struct: Struct = STRUCTS[kind];
  const bytes = Buffer.alloc(struct.size);
  const { ktime_ns = 1000n, sequence = 0, start_ns = 7n, cpu = 0, pid = 42, tid = pid } = header;
  write(bytes, raw.event_header, 0, {
    ktime_ns,
    sequence: BigInt(sequence),
    start_ns,
    kind: raw.event_kind[kind],
    cpu,
    pid,
    tid,
  });
  write(bytes, struct, 0, fields);
  return Buffer.concat([bytes, ...data.map((part) => Buffer.from(part as Uint8Array))]);
}

/** The bytes of `struct socket_address`. */
export function makeAddress(family: number, address: readonly number[], port: number, path_bytes = 0): Buffer {
  const bytes = Buffer.alloc(raw.socket_address.size);
  const { offset } = raw.socket_address;
  bytes.set(address, offset.address);
  bytes.writeUInt16LE(port, offset.port);
  bytes.writeUInt16LE(family, offset.family);
  bytes.writeUInt32LE(path_bytes, offset.path_bytes);
  return bytes;
}

function write(bytes: Buffer, struct: Struct, at: number, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) {
    const offset = struct.offset[name];
    if (offset === undefined) throw new Error(`no field ${name}`);
    if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, at + offset);
    else if (typeof value === 'number') bytes.writeInt32LE(value | 0, at + offset);
    else bytes.set(value, at + offset);
  }
}
