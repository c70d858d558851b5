import type { ProcessKey } from './event.ts';

/** Roles and parts follow the JSON schemas of the GenAI semantic conventions 1.41 (gen-ai-input-messages.json). */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly MessagePart[];
  readonly name?: string;
  readonly finish_reason?: string;
}

export type MessagePart =
  | { readonly type: 'text'; readonly content: string }
  | { readonly type: 'reasoning'; readonly content: string }
  | { readonly type: 'tool_call'; readonly id: string | null; readonly name: string; readonly arguments: unknown }
  | { readonly type: 'tool_call_response'; readonly id: string | null; readonly response: unknown }
  | { readonly type: 'blob'; readonly modality: string; readonly mime_type: string | null; readonly content: string }
  | { readonly type: 'uri'; readonly modality: string; readonly mime_type: string | null; readonly uri: string }
  | { readonly type: 'file'; readonly modality: string; readonly mime_type: string | null; readonly file_id: string };

export interface ToolDefinition {
  readonly type: string;
  readonly name: string;
  readonly description?: string;
  readonly parameters?: unknown;
}

export interface ToolCall {
  /** The protocol's id; '' where the provider gives none. */
  readonly id: string;
  readonly name: string;
  /** Parsed when it was valid JSON, else the text. */
  readonly arguments: unknown;
  /** When its last byte arrived. */
  readonly complete_ns: bigint;
}

/** What the request says. Every field is optional on the wire; absent ones stay undefined. */
export interface LlmRequest {
  readonly operation: 'chat' | 'text_completion' | 'generate_content' | 'embeddings';
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly frequency_penalty?: number;
  readonly presence_penalty?: number;
  readonly seed?: number;
  readonly stop_sequences?: readonly string[];
  readonly choice_count?: number;
  /** `text`, `json`, ... (gen_ai.output.type) */
  readonly output_type?: string;
  readonly conversation_id?: string;
  /** The id is that of the agent's session, which side requests and sub-agents share: it does not tell what goes on. */
  readonly conversation_is_session?: boolean;
  readonly previous_response_id?: string;
  /** The server is only to get ready: it answers nothing. */
  readonly is_warm_up?: boolean;
  readonly system_instructions: readonly MessagePart[];
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** Provider refinements by attribute name, e.g. `openai.request.service_tier`. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** All counts as the GenAI conventions define them: `input_tokens` includes the cached ones. */
export interface Usage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  /** Of those, what the cache keeps for an hour, at another price. */
  readonly cache_creation_1h_input_tokens?: number;
  readonly reasoning_output_tokens?: number;
  /** Of the tokens above, those of sound, which have prices of their own; left out where there are none. */
  readonly input_audio_tokens?: number;
  readonly output_audio_tokens?: number;
  readonly cache_read_audio_tokens?: number;
  /** Searches of the web that the provider made and charges for. */
  readonly web_search_count?: number;
}

export interface LlmResponse {
  readonly id?: string;
  readonly model?: string;
  readonly finish_reasons: readonly string[];
  readonly messages: readonly Message[];
  readonly tool_calls: readonly ToolCall[];
  readonly usage: Usage;
  /** The tier that served it, in the provider's words: prices depend on it. */
  readonly service_tier?: string;
  /** What it cost as the provider itself says, US dollars. */
  readonly told_cost_usd?: number;
  readonly conversation_id?: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Why a call has no proper end. `type` is low-cardinality (error.type); `message` may hold content. */
export interface CallError {
  readonly type: string;
  readonly message: string;
}

/** One known defect of what we captured, with the number of bytes it concerns where that is known. */
export interface CaptureGap {
  readonly reason: 'lost_bytes' | 'joined_midstream' | 'malformed' | 'too_large' | 'decompression' | 'cut';
  readonly bytes: number;
  readonly detail: string;
}

/**
 * One request to a model and what came back. It is announced twice: when the request is complete (`phase: 'request'`,
 * `response` undefined), for what the request proves about earlier tool calls, and when it ended (`phase: 'end'`).
 */
export interface LlmCall {
  readonly kind: 'llm_call';
  readonly phase: 'request' | 'end';
  /** Unique in a stream, the same in a replay; both phases carry it. */
  readonly call_id: string;
  readonly process: ProcessKey;
  readonly pid: number;
  readonly tid: number;
  readonly socket_id: bigint;
  readonly provider: string;
  /** Neither the host nor a gateway's header says who serves the model: `provider` may only be whose API is spoken. */
  readonly is_seller_unknown?: boolean;
  /** From the Host header or SNI; the peer's address where neither is known. */
  readonly server_address: string | undefined;
  readonly server_port: number | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly user_agent: string | undefined;
  readonly request: LlmRequest;
  readonly request_start_ns: bigint;
  readonly request_end_ns: bigint;
  readonly request_bytes: number;
  readonly response: LlmResponse | undefined;
  readonly response_first_chunk_ns: bigint | undefined;
  readonly end_ns: bigint;
  readonly response_bytes: number;
  readonly http_status: number | undefined;
  readonly error: CallError | undefined;
  readonly gaps: readonly CaptureGap[];
}
