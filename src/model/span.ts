/** OTel spans as plain values: what exporters take, what the store keeps. Times are ns since the Unix epoch. */

export type AttributeValue = string | number | bigint | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface SpanEvent {
  readonly name: string;
  readonly time_unix_ns: bigint;
  readonly attributes: Attributes;
}

export interface SpanLink {
  readonly trace_id: string;
  readonly span_id: string;
  readonly trace_state: string | undefined;
  readonly attributes: Attributes;
}

export interface Resource {
  readonly attributes: Attributes;
}

export interface Span {
  /** 32 and 16 lower-case hex digits. */
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | undefined;
  /** The parent belongs to another program (the trace was joined by traceparent). */
  readonly parent_is_remote: boolean;
  readonly trace_state: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'client' | 'server';
  readonly start_unix_ns: bigint;
  readonly end_unix_ns: bigint;
  readonly attributes: Attributes;
  /** Opt-in attributes (prompts, answers, arguments, matched text): kept by the store, exported only on request. */
  readonly content: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string | undefined };
  /** One object per agent instance, shared by its spans. */
  readonly resource: Resource;
  /** False: the trace it joined is not sampled, so it is stored but not sent. */
  readonly sampled?: boolean;
}
