import type { ProcessKey } from './event.ts';
import type { CaptureGap } from './llm-call.ts';

/** What a client or a server of MCP says it is. */
export interface McpImplementation {
  readonly name: string;
  readonly version: string | undefined;
}

/**
 * One message of the Model Context Protocol that asks for something, or tells something, and what came back. It is announced
 * when it was sent (`phase: 'request'`), again when its server becomes known, and when it ended (`phase: 'end'`).
 */
export interface McpCall {
  readonly kind: 'mcp_call';
  readonly phase: 'request' | 'end';
  /** Unique in a stream, the same in a replay; all phases carry it. */
  readonly call_id: string;
  /** Unique in a stream: what one client and one server say to each other. */
  readonly dialogue_id: string;
  /** Who sent it. A server asks for sampling, elicitation and roots. */
  readonly sender: 'client' | 'server';
  /** The watched process the call is told of: the client, where it is known. */
  readonly process: ProcessKey;
  readonly pid: number;
  readonly tid: number;
  /** undefined: not seen, or not on this machine. */
  readonly client_process: ProcessKey | undefined;
  readonly server_process: ProcessKey | undefined;
  /** `pipe`: standard input and output. */
  readonly transport: 'pipe' | 'tcp' | 'unix';
  /** 0n for a pipe. */
  readonly socket_id: bigint;
  readonly server_address: string | undefined;
  readonly server_port: number | undefined;
  /** From `initialize`. */
  readonly client_info: McpImplementation | undefined;
  readonly server_info: McpImplementation | undefined;
  readonly protocol_version: string | undefined;
  /** The `Mcp-Session-Id` of HTTP. */
  readonly session_id: string | undefined;
  readonly method: string;
  /** The JSON-RPC id as text; undefined: a notification. */
  readonly request_id: string | undefined;
  readonly tool_name: string | undefined;
  readonly prompt_name: string | undefined;
  readonly resource_uri: string | undefined;
  /** `params.arguments` of a tool's or a prompt's call, else `params` without `_meta`. Content. */
  readonly arguments: unknown;
  /** Content. */
  readonly result: unknown;
  /** `type`: the JSON-RPC error's code, `tool_error`, an HTTP status, `cancelled`, `no_response`. `message` is content. */
  readonly error: { readonly type: string; readonly code: number | undefined; readonly message: string } | undefined;
  /** Of `params._meta`. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  readonly request_bytes: number;
  readonly response_bytes: number;
  /** Progress and log messages that came while it went on. */
  readonly notification_count: number;
  readonly gaps: readonly CaptureGap[];
}
