/** What the mock answers. The turn is chosen by what the request already contains, so the server keeps no state. */
export interface Scenario {
  /** By the number of answers the conversation already has; the last turn repeats. */
  readonly turns: readonly Turn[];
}

export interface Turn {
  readonly reasoning?: string;
  /** `{prompt}` becomes the text of the last user message. */
  readonly text?: string;
  readonly calls?: readonly ScenarioCall[];
  readonly usage?: ScenarioUsage;
  /** Answer with this HTTP status and an error body in the provider's shape. */
  readonly error?: { readonly status: number; readonly type: string; readonly message: string };
  /** What goes wrong while a stream (or a body) is under way. */
  readonly fault?: Fault;
}

export interface ScenarioCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ScenarioUsage {
  /** Includes cached tokens. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens?: number;
  readonly cache_creation_tokens?: number;
  readonly reasoning_tokens?: number;
}

export interface Fault {
  /** `error_event`: the provider's error event. `disconnect`: the connection ends without a goodbye. `hold`: nothing more ever comes. */
  readonly kind: 'error_event' | 'disconnect' | 'hold';
  /** Events of the stream sent before it. */
  readonly after_events: number;
}

/** What one API makes of a turn: the body of a plain answer, and the events of a streamed one. */
export interface Answer {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly events: readonly ServerSentEvent[];
  readonly error_event: ServerSentEvent;
}

export interface ServerSentEvent {
  readonly event?: string;
  readonly data: string;
}

export interface ApiRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Index of the turn this request asks for. */
  readonly turn: number;
  /** Text of the last user message. */
  readonly prompt: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Api {
  /** A text: that very path. */
  readonly path: string | RegExp;
  read(json: Readonly<Record<string, unknown>>, path: string): ApiRequest;
  answer(request: ApiRequest, turn: Turn, number: number): Answer;
  errorBody(error: { readonly type: string; readonly message: string }): Readonly<Record<string, unknown>>;
}

export const defaultUsage: ScenarioUsage = { input_tokens: 100, output_tokens: 20 };

export function turnText(turn: Turn, request: ApiRequest): string {
  return (turn.text ?? '').replaceAll('{prompt}', request.prompt);
}

/** Deltas as a provider would send them: few, and of different lengths. Never cuts a surrogate pair. */
export function deltasOf(text: string): string[] {
  const deltas: string[] = [];
  const largest_chars = Math.max(24, Math.ceil(text.length / 400));
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + Math.max(1, (deltas.length % 4) * Math.floor(largest_chars / 3)));
    if (text.charCodeAt(end - 1) >= 0xd800 && text.charCodeAt(end - 1) < 0xdc00) end += 1;
    deltas.push(text.slice(at, end));
    at = end;
  }
  return deltas;
}

export function encodeEvent(event: ServerSentEvent): string {
  return `${event.event === undefined ? '' : `event: ${event.event}\n`}data: ${event.data}\n\n`;
}

/** The text of the last user message that has any (tool results are user messages too, in some APIs). */
export function lastQuestion(messages: readonly { readonly role?: string; readonly content?: unknown }[]): string {
  const questions = messages
    .filter((message) => message.role === 'user')
    .map((message) => contentText(message.content));
  return questions.findLast((text) => text !== '') ?? '';
}

/** The text of a message's content, given as a string or as parts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('');
}
