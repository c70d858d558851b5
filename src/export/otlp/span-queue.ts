import type { Attributes, Span } from '../../model/span.ts';

const BATCH_SPANS = 512;
/** Collectors take gRPC messages of 4 MiB unless told otherwise. */
const BATCH_CHARS = 3 << 20;
/** All spans that wait, content included. */
const QUEUE_CHARS = 64 << 20;
const SPAN_CHARS = 512;

/** Spans that wait to be sent, within bounds. */
export interface SpanQueue {
  readonly size: number;
  /** There is a whole batch. */
  readonly is_ready: boolean;
  /** False: there is no room. */
  add(span: Span): boolean;
  /** The oldest spans, as many as go into one request; one that is too large for that goes alone. */
  take(): Span[];
}

export function createSpanQueue(max_spans: number, include_content: boolean): SpanQueue {
  let queue: { readonly span: Span; readonly chars: number }[] = [];
  let queue_chars = 0;
  return {
    get size() {
      return queue.length;
    },
    get is_ready() {
      return queue.length >= BATCH_SPANS || queue_chars >= BATCH_CHARS;
    },
    add(span) {
      const chars = SPAN_CHARS + charsOf(span.attributes) + (include_content ? charsOf(span.content) : 0);
      if (queue.length >= max_spans || (queue.length > 0 && queue_chars + chars > QUEUE_CHARS)) return false;
      queue.push({ span, chars });
      queue_chars += chars;
      return true;
    },
    take() {
      let count = 0;
      let batch_chars = 0;
      for (const { chars } of queue) {
        if (count === BATCH_SPANS || (count > 0 && batch_chars + chars > BATCH_CHARS)) break;
        count++;
        batch_chars += chars;
      }
      const batch = queue.slice(0, count).map(({ span }) => span);
      queue = queue.slice(count);
      queue_chars -= batch_chars;
      return batch;
    },
  };
}

function charsOf(attributes: Attributes): number {
  let chars = 0;
  for (const value of Object.values(attributes)) {
    if (typeof value === 'string') chars += value.length;
    else if (typeof value === 'object') for (const text of value) chars += text.length;
  }
  return chars;
}
