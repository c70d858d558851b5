import type { Span } from '../../model/span.ts';
import {
  ATTR_GEN_AI_INPUT_MESSAGES,
  ATTR_GEN_AI_OUTPUT_MESSAGES,
  ATTR_GEN_AI_TOOL_CALL_RESULT,
  ATTR_UNDERSIGHT_ERROR_MESSAGE,
  ATTR_UNDERSIGHT_MCP_RESULT,
} from '../../spans/semconv.gen.ts';
import { printable } from './printable-text.ts';

/** More of one text than any line can show is not worth making printable. */
const MAX_CHARS = 400;

/** What was said, one line for each part: what is new in the request, then the answer; or a tool's result. Printable. */
export function messageLines(span: Span): string[] {
  const { content } = span;
  const lines = [
    ...newest(parseMessages(content[ATTR_GEN_AI_INPUT_MESSAGES])).flatMap(linesOf),
    ...parseMessages(content[ATTR_GEN_AI_OUTPUT_MESSAGES]).flatMap(linesOf),
  ];
  const result = content[ATTR_GEN_AI_TOOL_CALL_RESULT] ?? content[ATTR_UNDERSIGHT_MCP_RESULT];
  const error_message = content[ATTR_UNDERSIGHT_ERROR_MESSAGE];
  if (typeof result === 'string') lines.push(short('result', result));
  if (typeof error_message === 'string') lines.push(short('error', error_message));
  return lines;
}

interface SaidMessage {
  readonly role: string;
  readonly parts: readonly Readonly<Record<string, unknown>>[];
}

function parseMessages(json: unknown): SaidMessage[] {
  if (typeof json !== 'string') return [];
  try {
    const messages: unknown = JSON.parse(json);
    return Array.isArray(messages) ? messages.filter(isMessage) : [];
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is SaidMessage {
  const { role, parts } = (value ?? {}) as Partial<SaidMessage>;
  return typeof role === 'string' && Array.isArray(parts) && parts.every((part) => typeof part === 'object' && part);
}

function newest(messages: readonly SaidMessage[]): SaidMessage[] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1);
}

function linesOf({ role, parts }: SaidMessage): string[] {
  return parts.map((part) => {
    switch (part.type) {
      case 'text':
        return short(role, String(part.content));
      case 'reasoning':
        return short(`${role} (reasoning)`, String(part.content));
      case 'tool_call':
        return short(role, `calls ${String(part.name)} ${asText(part.arguments)}`);
      case 'tool_call_response':
        return short(role, asText(part.response));
      default:
        return short(role, `[${String(part.type)}]`);
    }
  });
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function short(who: string, said: string): string {
  return printable(`${who}: ${said.slice(0, MAX_CHARS)}`);
}
