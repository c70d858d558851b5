import type { ScenarioCall, Turn } from '../mock-llm/scenario.ts';
import type { MockLlm } from '../mock-llm/server.ts';

/** One call to the model, as the server saw it. */
export interface TrueCall {
  /** undefined: the API has none. */
  readonly response_id: string | undefined;
  /** Every text that the client said in it: prompts and results of tools. */
  readonly said: readonly string[];
  readonly text: string;
  readonly calls: readonly ScenarioCall[];
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number } | undefined;
}

/** What the clients of `mock` asked, and what it answered from `turns`, in the order of the requests. */
export function readTruth(mock: MockLlm, turns: readonly Turn[]): TrueCall[] {
  const http = mock.exchanges.map((exchange) => ({ ...exchange, has_id: !exchange.path.startsWith('/api/') }));
  const websocket = mock.websocket_exchanges.map((exchange) => ({ ...exchange, has_id: true }));
  return [...http, ...websocket].map(({ response_id, has_id, turn, request_body }) => {
    const request = JSON.parse(request_body.toString('utf8')) as Record<string, unknown>;
    const is_warm_up = request.generate === false;
    const told = turns[Math.min(turn, turns.length - 1)];
    return {
      response_id: has_id ? response_id : undefined,
      said: textsOf(request.messages ?? request.input ?? request.contents),
      text: is_warm_up ? '' : (told?.text ?? ''),
      calls: is_warm_up ? [] : (told?.calls ?? []),
      usage: told?.usage,
    };
  });
}

/** Texts in messages of any API: what is a string under `text`, `content` or `output`. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner === 'string') return /^(text|content|output)$/.test(key) ? [inner] : [];
    return /^(content|parts|output|functionResponse|response)$/.test(key) || Array.isArray(value) ? textsOf(inner) : [];
  });
}
