import type { CallError, LlmResponse } from '../model/llm-call.ts';
import type { HttpRequestHead, ParsedRequest } from './provider.ts';

/** One request to a model over a WebSocket, and what came back. */
export interface WebSocketCall extends ParsedRequest {
  /** `complete`: the server told its end. `lost`: its end was not seen, and something else began. */
  readonly state: 'open' | 'complete' | 'lost';
  /** The client must have sent a request, which was not seen. */
  readonly request_lost?: boolean;
  /** What has been understood so far; callable at any time. */
  result(): {
    readonly response: LlmResponse;
    readonly error: CallError | undefined;
    readonly malformed: string | undefined;
  };
}

/** Reads the messages of one WebSocket. Never throws for bad data. */
export interface WebSocketSession {
  /** A message of the client, as text: the call that it begins. */
  sent(message: string, ktime_ns: bigint): WebSocketCall | undefined;
  /** A message of the server, as text: the call that it belongs to, or begins. */
  received(message: string, ktime_ns: bigint): WebSocketCall | undefined;
  /** Messages of that side passed which cannot be read. */
  damaged(side: 'sent' | 'received'): void;
}

/** An LLM API that is spoken over WebSockets. Never throws for bad data. */
export interface WebSocketApi {
  readonly name: string;
  /** Is this upgrade to it? From its head alone. */
  matches(head: HttpRequestHead): boolean;
  /** Whatever the path: does a client of it send such a message first? */
  recognises(first_message: string): boolean;
  /** Is that said in it, by either side? Others may use its path. */
  understands(message: string): boolean;
  createSession(head: HttpRequestHead): WebSocketSession;
}
