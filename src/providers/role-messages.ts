import type { Message, MessagePart } from '../model/llm-call.ts';

/** The parts of one message. Tool results come in a user's message; the conventions give them a role of their own. */
export function roleMessages(role: string | undefined, parts: readonly MessagePart[]): readonly Message[] {
  if (role === 'assistant' || role === 'system') return [{ role, parts }];
  if (role !== 'user') return [];
  const results = parts.filter((part) => part.type === 'tool_call_response');
  const others = parts.filter((part) => part.type !== 'tool_call_response');
  const split: Message[] = [];
  if (results.length > 0) split.push({ role: 'tool', parts: results });
  if (others.length > 0) split.push({ role, parts: others });
  return split;
}
