import { createHash } from 'node:crypto';

/** W3C Trace Context, `traceparent` and `tracestate`. */
export interface TraceContext {
  readonly trace_id: string;
  readonly span_id: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACESTATE_CHARS = 512;

/** W3C Trace Context Level 1, 3.2.2: undefined when it is not a valid one. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, version, trace_id = '', span_id = '', flags = '', rest] = TRACEPARENT.exec(text?.trim() ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(trace_id) || /^0+$/.test(span_id)) return undefined;
  return { trace_id, span_id, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** undefined when it holds what no tracestate may, or is longer than everybody has to pass on. */
export function checkTracestate(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= TRACESTATE_CHARS && /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}

/** 32 hex digits that derive from the turn. */
export function traceIdOf(turn_id: string): string {
  return hexDigest(`trace:${turn_id}`, 32);
}

/** 16 hex digits that derive from the activity. */
export function spanIdOf(activity_id: string): string {
  return hexDigest(`span:${activity_id}`, 16);
}

/** All zeros means "no id". */
function hexDigest(text: string, digits: number): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, digits);
  return /^0+$/.test(digest) ? '1'.padStart(digits, '0') : digest;
}
