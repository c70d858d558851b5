import { isDeepStrictEqual } from 'node:util';
import { descend, isTool, type TraceNode } from '../e2e/trace.ts';
import type { ScenarioCall } from '../mock-llm/scenario.ts';
import type { McpCall } from './real-agent.ts';
import type { TrueCall } from './truth.ts';

export interface CallFigures {
  readonly made: number;
  /** With a span of its own. */
  readonly seen: number;
  /** With the text, the tool calls and the usage that the server sent. */
  readonly answered: number;
  /** With all texts that the client said. */
  readonly asked: number;
  /** Spans of no call. */
  readonly invented: number;
}

interface Part {
  readonly type?: string;
  readonly content?: unknown;
  readonly response?: unknown;
  readonly name?: string;
  readonly arguments?: unknown;
}

/** Of a call to a model; Gemini's is named for what it generates. */
export const isCall = ({ attributes }: TraceNode): boolean =>
  ['chat', 'generate_content'].includes(String(attributes['gen_ai.operation.name']));

/** What the spans say about calls to the model, against what happened. */
export function compareCalls(truth: readonly TrueCall[], spans: readonly TraceNode[]): CallFigures {
  const chats = spans.filter(isCall).sort((a, b) => Number(a.start_ns - b.start_ns));
  const unnamed = chats.filter((chat) => chat.attributes['gen_ai.response.id'] === undefined);
  const pairs = truth.flatMap((call) => {
    const span =
      call.response_id === undefined
        ? unnamed.shift()
        : chats.find((chat) => chat.attributes['gen_ai.response.id'] === call.response_id);
    return span === undefined ? [] : [{ call, span }];
  });
  return {
    made: truth.length,
    seen: pairs.length,
    answered: pairs.filter(({ call, span }) => hasAnswer(call, span)).length,
    asked: pairs.filter(({ call, span }) => hasPrompts(call, span)).length,
    invented: chats.length - new Set(pairs.map(({ span }) => span)).size,
  };
}

function hasAnswer({ text, calls, usage }: TrueCall, { attributes }: TraceNode): boolean {
  const parts = partsOf(attributes['gen_ai.output.messages']);
  const said = parts.filter(({ type }) => type === 'text').map(({ content }) => content);
  const called = parts.filter(({ type }) => type === 'tool_call');
  return (
    said.join('') === text &&
    isDeepStrictEqual(
      called.map((part) => ({ name: part.name, arguments: part.arguments })),
      calls.map((call) => ({ name: call.name, arguments: call.arguments })),
    ) &&
    attributes['gen_ai.usage.input_tokens'] === usage?.input_tokens &&
    attributes['gen_ai.usage.output_tokens'] === usage?.output_tokens
  );
}

function hasPrompts({ said }: TrueCall, { attributes }: TraceNode): boolean {
  const places = [attributes['gen_ai.input.messages'], attributes['gen_ai.system_instructions']];
  const told = places.map(String).join('\n');
  return said.every((text) => told.includes(JSON.stringify(text).slice(1, -1)));
}

function partsOf(messages: unknown): Part[] {
  try {
    return (JSON.parse(String(messages)) as { parts: Part[] }[]).flatMap(({ parts }) => parts);
  } catch {
    return [];
  }
}

/** Whether one tool call asked for the command; under that, a process ran it and made its file. */
export function isCommandSeen(command: string, file: string, spans: readonly TraceNode[]): boolean {
  const tools = spans.filter(
    (span) => isTool(span) && String(span.attributes['gen_ai.tool.call.arguments']).includes(command),
  );
  const made = tools.flatMap(descend).filter((span) => String(span.attributes['file.path']).endsWith(file));
  return tools.length === 1 && made.length > 0;
}

export const isMcpCall = (call: ScenarioCall): call is McpCall => 'mcp_name' in call;

/** Whether the call of the tool is one span, which is the request to the MCP server too. */
export function isMcpCallSeen({ name, mcp_name, result }: McpCall, spans: readonly TraceNode[]): boolean {
  const requests = spans.filter(
    ({ attributes }) =>
      attributes['mcp.method.name'] === 'tools/call' &&
      [name, mcp_name].includes(String(attributes['gen_ai.tool.name'])),
  );
  return requests.length === 1 && String(requests[0]?.attributes['gen_ai.tool.call.result']).includes(result);
}
