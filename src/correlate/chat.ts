import type { ActivityBase, ChatActivity } from '../model/activity.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

/** One call of a model within a turn. */
export interface Chat {
  readonly id: string;
  readonly call: LlmCall;
  readonly start_ns: bigint;
  /** The activity of the same call in the turn that ended before it did. */
  readonly continues: string | undefined;
  readonly lost_before: number;
}

/** Tells a call that has ended, or whose turn ends before it. */
export function tellChat(turns: Turns, turn: Turn, chat: Chat, call: LlmCall, open_until_ns?: bigint): void {
  const { id, start_ns, continues, lost_before } = chat;
  const open = open_until_ns !== undefined;
  const end_ns = open_until_ns ?? call.end_ns;
  const telling = { id, parent_id: turn.root_id, start_ns, end_ns, open, continues, lost_before };
  turns.tell(turn, telling, describeChat(call, turn));
}

function describeChat(call: LlmCall, { traceparent }: Turn): Omit<ChatActivity, keyof ActivityBase> {
  const linked_traceparent = call.traceparent === traceparent ? undefined : call.traceparent;
  return { kind: 'chat', call, linked_traceparent, left_out_count: 0 };
}
