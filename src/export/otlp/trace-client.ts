import type { Span } from '../../model/span.ts';
import type { SendFailure } from './send-failure.ts';

/** One attempt at a time over one of OTel's exporters. */
export interface TraceClient {
  /** undefined: the endpoint took them. Never rejects. */
  send(spans: readonly Span[]): Promise<SendFailure | undefined>;
  /** Lets go of connections; an attempt that is under way is given up. */
  close(): void;
}

/** How an attempt is made, the same for both protocols. */
export interface ClientOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'gzip' | 'none' | undefined;
  /** undefined: what the environment says, or 10 s. */
  readonly timeout_ms: number | undefined;
  readonly include_content: boolean;
}
