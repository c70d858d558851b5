import { hash } from 'node:crypto';
import { BoundedMap } from '../model/bounded-map.ts';
import type { LlmRequest, LlmResponse, Message } from '../model/llm-call.ts';
import type { Turn } from './turn.ts';

/** Requests of which each repeats, and extends, what was said before. */
export interface Conversation {
  turn: Turn;
  /** Its last answer called no tool. */
  has_answered: boolean;
}

/** The conversation that a request goes on with. */
export interface Continuation {
  readonly conversation: Conversation;
  /** The request says something that the user, not a tool, said since. */
  readonly adds_user_message: boolean;
}

const MAX_REMEMBERED = 4096;

/** Finds out which requests belong to one conversation, by the messages that they repeat and the ids that they carry. */
export class Conversations {
  readonly #by_history = new BoundedMap<string, Conversation>(MAX_REMEMBERED);
  readonly #by_id = new BoundedMap<string, Conversation>(MAX_REMEMBERED);

  /** Of the request that was looked for last: the same one is remembered next. */
  #latest: { readonly messages: readonly Message[]; readonly hashes: readonly string[] } | undefined;

  find(request: LlmRequest): Continuation | undefined {
    const { messages, previous_response_id } = request;
    const kept_id = keptConversation(request);
    const linked =
      (previous_response_id === undefined ? undefined : this.#by_id.get(`r ${previous_response_id}`)) ??
      (kept_id === undefined ? undefined : this.#by_id.get(`c ${kept_id}`));
    if (linked !== undefined) return { conversation: linked, adds_user_message: isOfUser(messages.at(-1)) };
    const histories = this.#hashes(messages);
    for (let length = histories.length; length > 0; length--) {
      const conversation = this.#by_history.get(histories[length - 1] as string);
      if (conversation === undefined) continue;
      return { conversation, adds_user_message: messages.slice(length).some(isOfUser) };
    }
    return undefined;
  }

  /** Remembers what a request said, for the next one to be found by. */
  remember(request: LlmRequest, conversation: Conversation): void {
    const history = this.#hashes(request.messages).at(-1) ?? '';
    const kept_id = keptConversation(request);
    if (history !== '') this.#by_history.set(history, conversation);
    if (kept_id !== undefined) this.#by_id.set(`c ${kept_id}`, conversation);
  }

  /** Remembers the ids that a response gave. */
  rememberResponse({ id, conversation_id }: LlmResponse, conversation: Conversation): void {
    if (id !== undefined) this.#by_id.set(`r ${id}`, conversation);
    if (conversation_id !== undefined) this.#by_id.set(`c ${conversation_id}`, conversation);
  }

  #hashes(messages: readonly Message[]): readonly string[] {
    if (this.#latest?.messages !== messages) this.#latest = { messages, hashes: historyHashes(messages) };
    return this.#latest.hashes;
  }
}

/** The id of a conversation that the server keeps: requests say only what is new in it. */
function keptConversation({ conversation_id, conversation_is_session }: LlmRequest): string | undefined {
  return conversation_is_session === true ? undefined : conversation_id;
}

/** One hash per message, over it and all before it. Instructions do not count: some agents put the time into them. */
function historyHashes(messages: readonly Message[]): readonly string[] {
  const hashes: string[] = [];
  let before = '';
  for (const message of messages) {
    if (message.role === 'system') {
      if (before !== '') hashes.push(before);
      continue;
    }
    before = hash('sha256', `${before}${JSON.stringify([message.role, message.parts])}`, 'base64');
    hashes.push(before);
  }
  // Leading system messages have no history of their own; the positions have to stay those of the messages.
  return [...Array<string>(messages.length - hashes.length).fill(''), ...hashes];
}

function isOfUser(message: Message | undefined): boolean {
  return message?.role === 'user' && message.parts.some((part) => part.type !== 'tool_call_response');
}
