import { createCorrelate } from '../../src/correlate/correlate.ts';
import { type CorrelateOptions, correlateOptionsSchema } from '../../src/correlate/options.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { Activity } from '../../src/model/activity.ts';
import type { Event, FileChangeOperation, SessionEvent } from '../../src/model/event.ts';
import type { LlmCall, LlmRequest, LlmResponse, Message, ToolCall } from '../../src/model/llm-call.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import { Activities, type Actor, assertWhole } from './activities.ts';

const MS = 1_000_000n;
const NO_ADDRESS = { family: 'ipv4', address: '0.0.0.0', port: 0 } as const;

export interface Asking {
  readonly messages: readonly Message[];
  readonly call_id?: string;
  readonly socket_id?: bigint;
  readonly request?: Partial<LlmRequest>;
  readonly traceparent?: string;
}

/** What happens in a test, told as one would tell a story; every step takes a millisecond. */
export class Scene {
  readonly counters = createCounters();
  readonly activities: (Activity | SessionEvent)[] = [];
  readonly root: Actor;
  readonly #stage;
  now_ns = 1_000_000_000n;
  #pid = 100;
  #id = 0n;
  #calls = 0;

  constructor(options: Partial<CorrelateOptions> = {}, root_args: readonly string[] = ['/usr/bin/agent']) {
    const all = { ...correlateOptionsSchema.parse({}), ...options, counters: this.counters };
    this.#stage = createCorrelate(all, { push: (item) => this.activities.push(item) });
    this.root = { key: `${this.#pid}:${this.now_ns}`, pid: this.#pid };
    this.snapshot(this.root, root_args);
    this.push({
      ...this.base(this.root),
      kind: 'target',
      reason: 'launched',
      agent_name: 'agent',
      agent_version: '1.0',
    });
    this.push({
      ...this.base(this.root),
      kind: 'process_facts',
      environment: {},
      user_name: 'ann',
      container_id: undefined,
      home_directory: '/home/ann',
    });
  }

  push(item: Event | LlmCall | McpCall): void {
    this.#stage.push(item);
  }

  wait(duration_ms: number): void {
    this.now_ns += BigInt(duration_ms) * MS;
    this.#stage.tick?.(this.now_ns);
  }

  step(): bigint {
    this.now_ns += MS;
    return this.now_ns;
  }

  base({ key, pid }: Actor) {
    return { ktime_ns: this.step(), process: key, pid, tid: pid };
  }

  snapshot(actor: Actor, args: readonly string[], parent?: Actor): void {
    this.push({ ...this.base(actor), ...image(args, parent), namespace_pid: actor.pid, origin: 'snapshot' });
  }

  fork(parent: Actor): Actor {
    const pid = ++this.#pid;
    const actor: Actor = { key: `${pid}:${this.now_ns}`, pid };
    const { key, pid: parent_pid } = parent;
    this.push({
      ...this.base(actor),
      kind: 'process_fork',
      parent: key,
      parent_pid,
      parent_tid: parent_pid,
      comm: 'x',
    });
    return actor;
  }

  exec(actor: Actor, ...args: string[]): void {
    this.push({ ...this.base(actor), ...image(args, undefined), namespace_pid: actor.pid, origin: 'exec' });
  }

  spawn(parent: Actor, ...args: string[]): Actor {
    const actor = this.fork(parent);
    this.exec(actor, ...args);
    return actor;
  }

  exit(actor: Actor, exit_code = 0, signal = 0): void {
    this.push({ ...this.base(actor), kind: 'process_exit', exit_code, signal });
  }

  /** Opens a file; gives its id. */
  open(
    actor: Actor,
    path: string,
    how: { errno?: number; created?: boolean; inherited?: boolean; fd?: number; flags?: number } = {},
  ): bigint {
    const { errno = 0, created = false, inherited = false, fd = 3, flags = 0 } = how;
    const file_id = errno === 0 ? ++this.#id : 0n;
    const origin = inherited ? 'inherited' : 'open';
    const event = { ...this.base(actor), kind: 'file_open', origin, file_id, fd, flags, mode: 0o100644 } as const;
    this.push({ ...event, errno, created, path });
    return file_id;
  }

  change(actor: Actor, operation: FileChangeOperation, path: string, new_path?: string, errno = 0): void {
    this.push({ ...this.base(actor), kind: 'file_change', operation, path, new_path, errno });
  }

  io(actor: Actor, file_id: bigint, bytes: { read?: number; written?: number; closed?: boolean }): void {
    const { read = 0, written = 0, closed = true } = bytes;
    const base = this.base(actor);
    this.push({
      ...base,
      kind: 'file_io',
      file_id,
      fd: 3,
      bytes_read: BigInt(read),
      bytes_written: BigInt(written),
      read_count: read > 0 ? 1 : 0,
      write_count: written > 0 ? 1 : 0,
      first_ns: base.ktime_ns,
      last_ns: base.ktime_ns,
      closed,
    });
  }

  read(actor: Actor, path: string): void {
    this.io(actor, this.open(actor, path), { read: 10 });
  }

  connect(
    actor: Actor,
    address: string,
    port = 443,
    how: { inherited?: boolean; fd?: number; errno?: number; socket_id?: bigint } = {},
  ): bigint {
    const { socket_id = ++this.#id } = how;
    const peer = { family: address.includes(':') ? 'ipv6' : 'ipv4', address, port } as const;
    const { inherited = false, fd = 5, errno = 0 } = how;
    const operation = inherited ? 'inherited' : 'connect';
    const event = { ...this.base(actor), kind: 'net_open', operation, socket_id, fd, transport: 'tcp' } as const;
    this.push({ ...event, local: NO_ADDRESS, peer, errno });
    return socket_id;
  }

  traffic(actor: Actor, socket_id: bigint, sent = 100, received = 200, closed = false): void {
    const base = this.base(actor);
    const times = { first_ns: base.ktime_ns, last_ns: base.ktime_ns };
    const event = { ...base, ...times, kind: 'net_io', socket_id, fd: 5, retransmits: 1, rtt_us: 50, closed } as const;
    this.push({ ...event, bytes_sent: BigInt(sent), bytes_received: BigInt(received) });
  }

  /** The request of a call; what it gives ends it. */
  ask(actor: Actor, asking: Asking): LlmCall {
    const { messages, call_id = `call${++this.#calls}`, socket_id = 0n, request = {}, traceparent } = asking;
    const request_start_ns = this.step();
    const call: LlmCall = {
      kind: 'llm_call',
      phase: 'request',
      call_id,
      process: actor.key,
      pid: actor.pid,
      tid: actor.pid,
      socket_id,
      provider: 'openai',
      server_address: 'api.example.com',
      server_port: 443,
      traceparent,
      tracestate: undefined,
      user_agent: undefined,
      request: {
        operation: 'chat',
        model: 'm',
        stream: true,
        system_instructions: [],
        messages,
        tools: [{ type: 'function', name: 'shell', description: 'Runs a command' }],
        attributes: {},
        ...request,
      },
      request_start_ns,
      request_end_ns: this.step(),
      request_bytes: 100,
      response: undefined,
      response_first_chunk_ns: undefined,
      end_ns: this.now_ns,
      response_bytes: 0,
      http_status: undefined,
      error: undefined,
      gaps: [],
    };
    this.push(call);
    return call;
  }

  /** `more.complete_ns`: when its tool calls were there, before the end of the answer. */
  answer(
    call: LlmCall,
    text: string,
    tools: readonly Tool[] = [],
    { complete_ns = this.step(), ...more }: Partial<LlmResponse> & { complete_ns?: bigint } = {},
  ): Message {
    const tool_calls: ToolCall[] = tools.map(([id, name, args]) => ({ id, name, arguments: args, complete_ns }));
    const message: Message = {
      role: 'assistant',
      parts: [
        { type: 'text', content: text },
        ...tools.map(([id, name, args]) => ({ type: 'tool_call', id, name, arguments: args }) as const),
      ],
    };
    const response: LlmResponse = {
      finish_reasons: [tools.length > 0 ? 'tool_call' : 'stop'],
      messages: [message],
      tool_calls,
      usage: { input_tokens: 10, output_tokens: 5 },
      attributes: {},
      ...more,
    };
    this.push({ ...call, phase: 'end', response, http_status: 200, end_ns: this.step() });
    return message;
  }

  fail(call: LlmCall, type = 'disconnected'): void {
    this.push({ ...call, phase: 'end', error: { type, message: 'gone' }, end_ns: this.step() });
  }

  /** Ends everything, checks what always holds, and gives all activities. */
  end(): Activities {
    void this.#stage.close?.();
    const all = this.activities.filter((item) => item.kind !== 'session') as Activity[];
    assertWhole(all);
    return new Activities(all);
  }
}

export type Tool = readonly [id: string, name: string, args: unknown];

export function user(content: string): Message {
  return { role: 'user', parts: [{ type: 'text', content }] };
}

export function result(id: string, response: unknown = 'done'): Message {
  return { role: 'tool', parts: [{ type: 'tool_call_response', id, response }] };
}

function image(args: readonly string[], parent: Actor | undefined) {
  return {
    kind: 'process_exec',
    watched: true,
    parent: parent?.key,
    parent_pid: parent?.pid ?? 1,
    uid: 1000,
    gid: 1000,
    cgroup_id: 1n,
    comm: args[0] ?? '',
    executable_path: args[0]?.startsWith('/') ? args[0] : `/usr/bin/${args[0]}`,
    working_directory: '/work/app',
    args,
    args_lost_bytes: 0,
  } as const;
}
