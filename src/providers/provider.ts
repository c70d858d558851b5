import type { CallError, LlmRequest, LlmResponse } from '../model/llm-call.ts';

export interface HttpRequestHead {
  readonly method: string;
  /** As sent: path and query, or an absolute URI. */
  readonly target: string;
  /** The Host header, with its port if it has one. */
  readonly host: string | undefined;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface HttpResponseHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface ParsedRequest {
  /** gen_ai.provider.name, refined (azure, groq, deepseek, ... by host). */
  readonly provider: string;
  readonly request: LlmRequest;
  /** What is wrong with the body; undefined when it could be read whole. */
  readonly malformed: string | undefined;
}

/** One event of a streamed response. */
export interface StreamEvent {
  readonly event: string | undefined;
  readonly data: string;
  /** Of a framing that tells errors apart from events: the name of the error that this is. */
  readonly error_type?: string;
  /** Of a framing of binary messages: the message in plain. `data` is empty then. */
  readonly message?: Buffer;
}

/** Reads the response to one request. Never throws for bad data. */
export interface ResponseReader {
  pushEvent(event: StreamEvent, ktime_ns: bigint): void;
  /** The whole body of a response that is not a stream (also of an error). */
  pushBody(body: Buffer, ktime_ns: bigint): void;
  /** The stream told its end ([DONE], message_stop, response.completed), or the whole body could be read. */
  readonly complete: boolean;
  /** What has been understood so far; callable at any time. */
  result(): {
    readonly response: LlmResponse;
    readonly error: CallError | undefined;
    readonly malformed: string | undefined;
  };
}

/** How much of a body is there: all, all that will ever be known of it, all there is room for, or what has come so far. */
export type BodyPart = 'whole' | 'cut' | 'outgrown' | 'beginning';

/** One family of LLM APIs: from the bytes of an exchange to the model. Never throws for bad data. */
export interface Provider {
  /** e.g. 'openai'. */
  readonly name: string;
  /** Is this request ours? From its head alone. */
  matches(head: HttpRequestHead): boolean;
  /** Where the head cannot tell for sure: is this its decoded body? Of a `beginning`: may it become one? */
  confirms?(head: HttpRequestHead, body: Buffer, part: BodyPart): boolean;
  /** Reads the decoded body of a complete request; of gRPC, its first message. */
  parseRequest(head: HttpRequestHead, body: Buffer): ParsedRequest;
  /** A reader for the response to that request. */
  createResponseReader(request: LlmRequest, head: HttpResponseHead): ResponseReader;
}
