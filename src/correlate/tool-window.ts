import type { ActivityBase, ToolActivity } from '../model/activity.ts';
import type { LlmCall, MessagePart, ToolCall } from '../model/llm-call.ts';
import type { McpCall } from '../model/mcp-call.ts';
import { exitOf } from './process-image.ts';
import type { Process } from './process-tree.ts';
import { type ToolEvidence, toolEvidence } from './tool-evidence.ts';
import type { Turn } from './turn.ts';

/** The time between a model's asking for a tool and the request that carries what it gave. */
export interface ToolWindow {
  readonly id: string;
  readonly turn: Turn;
  readonly chat_id: string;
  readonly tool: ToolCall;
  readonly evidence: ToolEvidence;
  readonly tool_type: string | undefined;
  readonly description: string | undefined;
  /** When it closes by itself: the protocol gives no id that would tell. */
  readonly deadline_ns: bigint | undefined;
  closed_ns: bigint | undefined;
  result: unknown;
  /** How many processes it explains. */
  claim_count: number;
  /** The first process it explains. */
  executable: Process | undefined;
  /** The call of an MCP server that carries it out. */
  mcp: { readonly call: McpCall } | undefined;
  readonly lost_before: number;
}

export interface ToolWindowOrigin {
  readonly turn: Turn;
  readonly chat_id: string;
  readonly call: LlmCall;
  readonly tool_window_ns: bigint;
  readonly lost_before: number;
}

export function openToolWindow(tool: ToolCall, position: number, origin: ToolWindowOrigin): ToolWindow {
  const { turn, chat_id, call, tool_window_ns, lost_before } = origin;
  const definition = call.request.tools.find(({ name }) => name === tool.name);
  return {
    id: `${chat_id}/tool/${position}`,
    turn,
    chat_id,
    tool,
    evidence: toolEvidence(tool.arguments),
    tool_type: definition?.type,
    description: definition?.description,
    deadline_ns: tool.id === '' ? tool.complete_ns + tool_window_ns : undefined,
    closed_ns: undefined,
    result: undefined,
    claim_count: 0,
    executable: undefined,
    mcp: undefined,
    lost_before,
  };
}

/** The results that parts of messages carry, by the id of their call. */
export function* toolResults(parts: Iterable<MessagePart>): Generator<readonly [id: string, result: unknown]> {
  for (const part of parts) {
    if (part.type === 'tool_call_response' && part.id !== null) yield [part.id, part.response];
  }
}

/** What is particular to the activity of a closed, or given up, window. */
export function describeTool(window: ToolWindow): Omit<ToolActivity, keyof ActivityBase> {
  const { tool, tool_type, description, result, executable, mcp } = window;
  const path = executable?.executable_path ?? '';
  return {
    kind: 'execute_tool',
    tool,
    tool_type,
    description,
    result,
    executable:
      executable === undefined
        ? undefined
        : { name: path.slice(path.lastIndexOf('/') + 1), path, exit_code: exitOf(executable)?.exit_code },
    error_type: errorType(result, mcp?.call.error),
    left_out_count: 0,
    mcp: mcp?.call,
  };
}

/** Whoever gives the model a result has had one, though none was seen to come from the server. */
function errorType(result: unknown, told: McpCall['error']): string | undefined {
  const is_disproved = told?.type === 'no_response' && result !== undefined && !isFailure(result);
  if (told !== undefined && !is_disproved) return told.type;
  return isFailure(result) ? 'tool_error' : undefined;
}

function isFailure(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'is_error' in result && result.is_error === true;
}
