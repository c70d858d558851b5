import type { Span } from '../../model/span.ts';

export interface SpanNode {
  readonly span: Span;
  /** By start. */
  readonly children: readonly SpanNode[];
}

export interface Trace {
  readonly trace_id: string;
  readonly spans: readonly Span[];
  /** Roots, and spans whose parent is not there, by start. */
  readonly tops: readonly SpanNode[];
}

/** Spans that say they are below themselves are cut loose at this depth. */
const MAX_DEPTH = 128;

/** Spans in any order as traces, in the order of their first start. Every span is in it once. */
export function buildForest(spans: readonly Span[]): Trace[] {
  const byTrace = Map.groupBy(spans, ({ trace_id }) => trace_id);
  const traces = [...byTrace].map(([trace_id, members]) => {
    const sorted = members.toSorted(byStart);
    return { trace_id, spans: sorted, tops: buildTrees(sorted) };
  });
  return traces.sort((a, b) => (a.spans[0] && b.spans[0] ? byStart(a.spans[0], b.spans[0]) : 0));
}

export function isRoot(span: Span): boolean {
  return span.parent_span_id === undefined || span.parent_is_remote;
}

function buildTrees(spans: readonly Span[]): SpanNode[] {
  const ids = new Set(spans.map(({ span_id }) => span_id));
  const children = Map.groupBy(spans, ({ parent_span_id }) => parent_span_id);
  const placed = new Set<Span>();

  function grow(span: Span, depth: number): SpanNode {
    placed.add(span);
    const below = depth < MAX_DEPTH ? (children.get(span.span_id) ?? []) : [];
    return { span, children: below.filter((child) => !placed.has(child)).map((child) => grow(child, depth + 1)) };
  }

  const tops = spans.filter((span) => isRoot(span) || !ids.has(span.parent_span_id ?? '')).map((span) => grow(span, 0));
  for (const span of spans) if (!placed.has(span)) tops.push(grow(span, 0));
  return tops;
}

/** At the same time, the one that ends later is the one around the other. */
function byStart(a: Span, b: Span): number {
  return Number(a.start_unix_ns - b.start_unix_ns) || Number(b.end_unix_ns - a.end_unix_ns);
}
