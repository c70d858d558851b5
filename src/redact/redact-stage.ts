import type { Counters } from '../health/counters.ts';
import type { Event, SocketAddress } from '../model/event.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { McpCall } from '../model/mcp-call.ts';
import type { Stage } from '../stage.ts';
import { redactLlmCall } from './llm-call-redaction.ts';
import { redactMcpCall } from './mcp-call-redaction.ts';
import type { RedactOptions } from './redact-options.ts';
import { createRedactor, type Redactor } from './redactor.ts';

function redactAddress(redactor: Redactor, socket: SocketAddress): SocketAddress {
  return socket.family === 'unix' ? { ...socket, address: redactor.text(socket.address) } : socket;
}

/** undefined: an event of raw bytes, which nobody behind this stage may see. */
function redactEvent(redactor: Redactor, event: Event): Event | undefined {
  const text = (value: string) => redactor.text(value);
  const optional = (value: string | undefined) => (value === undefined ? undefined : redactor.text(value));
  switch (event.kind) {
    case 'process_fork':
    case 'agent_seen':
      return { ...event, comm: text(event.comm) };
    case 'process_exec':
      return {
        ...event,
        comm: text(event.comm),
        executable_path: text(event.executable_path),
        working_directory: text(event.working_directory),
        args: redactor.args(event.args),
      };
    case 'file_open':
      return { ...event, path: text(event.path) };
    case 'file_change':
      return { ...event, path: text(event.path), new_path: optional(event.new_path) };
    case 'net_open':
      return {
        ...event,
        local: redactAddress(redactor, event.local),
        peer: redactAddress(redactor, event.peer),
      };
    case 'net_name':
      return { ...event, name: text(event.name) };
    case 'target':
      return { ...event, agent_name: text(event.agent_name), agent_version: optional(event.agent_version) };
    case 'process_facts':
      return {
        ...event,
        environment: redactor.value(event.environment) as Readonly<Record<string, string>>,
        user_name: optional(event.user_name),
        container_id: optional(event.container_id),
        home_directory: optional(event.home_directory),
      };
    case 'tls_data':
    case 'plain_data':
    case 'net_payload':
      return undefined;
    case 'process_exit':
    case 'file_io':
    case 'net_io':
    case 'tls_close':
    case 'tls_binding':
    case 'pipe_end':
    case 'blind_spot':
    case 'loss':
    case 'session':
    case 'unread_traffic':
      return event;
  }
}

function redactItem(redactor: Redactor, item: Event | LlmCall | McpCall): Event | LlmCall | McpCall | undefined {
  if (item.kind === 'llm_call') return redactLlmCall(redactor, item);
  return item.kind === 'mcp_call' ? redactMcpCall(redactor, item) : redactEvent(redactor, item);
}

/**
 * Takes secrets out of every string that enters correlation. Counts them as `redact.<kind>`. Raw bytes, which an
 * earlier stage should have consumed, go no further: counted as `redact.raw_bytes_dropped`.
 */
export function createRedact(
  options: RedactOptions,
  next: Stage<Event | LlmCall | McpCall>,
  counters: Counters,
): Stage<Event | LlmCall | McpCall> {
  const redactor = createRedactor(options, (kind) => counters.counted(`redact.${kind}`));
  return {
    push(item) {
      const redacted = redactItem(redactor, item);
      if (redacted === undefined) counters.lost('redact.raw_bytes_dropped');
      else next.push(redacted);
    },
    tick: (now_ns) => next.tick?.(now_ns),
    close: () => next.close?.(),
  };
}
