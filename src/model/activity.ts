import type { ProcessKey, SocketAddress } from './event.ts';
import type { LlmCall, ToolCall, Usage } from './llm-call.ts';
import type { McpCall } from './mcp-call.ts';

/** Why an effect hangs where it hangs. */
export interface Correlation {
  readonly signals: readonly ('lineage' | 'window' | 'argument' | 'call_id')[];
  /** 0..1 */
  readonly score: number;
  /** The text of the tool call's arguments that matched. Content. */
  readonly matched: string | undefined;
  /** False: a tool window was open, or had been, and no tool call explains this effect. */
  readonly requested: boolean;
}

/** One agent instance: what becomes the OTel resource. */
export interface AgentInstance {
  readonly name: string;
  readonly version: string | undefined;
  /** The root of the watched tree. */
  readonly process: ProcessKey;
  readonly pid: number;
  readonly parent_pid: number;
  readonly executable_path: string;
  readonly args: readonly string[];
  readonly working_directory: string;
  readonly uid: number;
  readonly user_name: string | undefined;
  readonly container_id: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A node of a trace, given out when it has ended (or at the end of its turn, then `open`). Children may come before
 * their parents. Ids are strings that derive from what was observed alone, so that a replay gives the same ones.
 */
export interface ActivityBase {
  readonly id: string;
  /** undefined: the root of its trace. */
  readonly parent_id: string | undefined;
  /** Names the trace: same for all activities of one turn. */
  readonly turn_id: string;
  readonly agent: AgentInstance;
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  /** Still going on when its turn ended; what follows is another activity whose `continues` names this one. */
  readonly open: boolean;
  readonly continues: string | undefined;
  /** The remote parent (W3C traceparent) the whole turn joins. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** A conversation id the protocol carried. */
  readonly conversation_id: string | undefined;
  /** Records the kernel lost while this went on (undersight.capture.lost_events). */
  readonly lost_events: number;
}

export interface AgentActivity extends ActivityBase {
  readonly kind: 'invoke_agent';
  readonly provider: string | undefined;
  readonly usage: Usage;
  readonly llm_call_count: number;
  readonly tool_call_count: number;
  readonly error_type: string | undefined;
  readonly input: LlmCall | undefined;
  readonly output: LlmCall | undefined;
  /** Operations of the agent's own processes on files that are noise, folded here. */
  readonly noise_file_count: number;
  /** Effects a cap left out. */
  readonly left_out_count: number;
}

export interface ChatActivity extends ActivityBase {
  readonly kind: 'chat';
  readonly call: LlmCall;
  /** The remote parent of this very call where it is not the turn's. */
  readonly linked_traceparent: string | undefined;
  readonly left_out_count: number;
}

export interface ToolActivity extends ActivityBase {
  readonly kind: 'execute_tool';
  readonly tool: ToolCall;
  readonly tool_type: string | undefined;
  readonly description: string | undefined;
  /** What the next request said it gave. */
  readonly result: unknown;
  /** The process that ran the command, when one was observed. */
  readonly executable:
    | { readonly name: string; readonly path: string; readonly exit_code: number | undefined }
    | undefined;
  readonly error_type: string | undefined;
  readonly left_out_count: number;
  /** How it was carried out, where that was a call of an MCP server's tool. */
  readonly mcp: McpCall | undefined;
}

/** A call of an MCP server, or of its client, that is no tool call of the model's. */
export interface McpActivity extends ActivityBase {
  readonly kind: 'mcp';
  readonly call: McpCall;
  /** It carries out, or repeats, a tool call that has an activity: one more of those it is not. */
  readonly is_part: boolean;
  readonly correlation: Correlation;
}

export interface ProcessActivity extends ActivityBase {
  readonly kind: 'process';
  readonly process: ProcessKey;
  readonly pid: number;
  readonly parent_pid: number;
  readonly namespace_pid: number;
  readonly executable_path: string;
  readonly args: readonly string[];
  readonly working_directory: string;
  readonly uid: number;
  readonly user_name: string | undefined;
  readonly cgroup_id: bigint;
  /** undefined while it runs. */
  readonly exit_code: number | undefined;
  readonly signal: number | undefined;
  readonly correlation: Correlation;
  /** Operations on files that are noise (shared libraries, locale, /proc, interpreter caches), folded here. */
  readonly noise_file_count: number;
  readonly left_out_count: number;
  readonly blind_spots: readonly string[];
}

export type FileClass = 'workspace' | 'home' | 'temp' | 'system' | 'secret' | 'device' | 'other';
export type FileOperation = 'read' | 'write' | 'create' | 'delete' | 'rename' | 'execute' | 'open';

export interface FileActivity extends ActivityBase {
  readonly kind: 'file';
  readonly process: ProcessKey;
  readonly pid: number;
  readonly operation: FileOperation;
  readonly class: FileClass;
  readonly path: string;
  readonly new_path: string | undefined;
  readonly bytes_read: bigint;
  readonly bytes_written: bigint;
  /** How many openings or changes this folds. */
  readonly count: number;
  /** errno name of the last failure when none succeeded, e.g. ENOENT. */
  readonly error_type: string | undefined;
  readonly correlation: Correlation;
}

export interface NetworkActivity extends ActivityBase {
  readonly kind: 'network';
  readonly process: ProcessKey;
  readonly pid: number;
  readonly operation: 'connect' | 'listen' | 'accept' | 'resolve';
  readonly scope: 'loopback' | 'private' | 'external';
  readonly transport: 'tcp' | 'udp' | 'unix' | 'other';
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  /** From DNS or SNI. */
  readonly server_name: string | undefined;
  readonly bytes_sent: bigint;
  readonly bytes_received: bigint;
  readonly retransmits: number;
  readonly rtt_us: number;
  /** How many connections this folds. */
  readonly count: number;
  readonly error_type: string | undefined;
  /** Traffic on it that was seen but not understood (e.g. 'http2'). */
  readonly unread_protocol: string | undefined;
  readonly correlation: Correlation;
}

export type Activity =
  | AgentActivity
  | ChatActivity
  | ToolActivity
  | McpActivity
  | ProcessActivity
  | FileActivity
  | NetworkActivity;
