import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { Span } from '../../model/span.ts';
import {
  ATTR_FILE_PATH,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_MCP_METHOD_NAME,
  ATTR_PROCESS_PID,
  ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED,
  ATTR_UNDERSIGHT_NETWORK_BYTES_SENT,
  ATTR_UNDERSIGHT_NETWORK_OPERATION,
} from '../../spans/semconv.gen.ts';
import { messageLines } from './message-lines.ts';
import { countText } from './quantity-text.ts';
import { buildForest, isRoot, type SpanNode, type Trace } from './span-forest.ts';
import { directoryOf, type LineSurroundings, spanLine } from './span-line.ts';
import { isRequested } from './span-marks.ts';
import { amount } from './span-text.ts';
import { type Look, type Piece, renderLine } from './styled-line.ts';

/** Effects under one parent that get a line each; the rest are counted on one. LLM and tool calls always get theirs. */
const SHOWN_EFFECTS = 40;
const TRACE_ID_CHARS = 12;
const MAX_INTEREST = 16;

/**
 * Spans of finished traces as trees for people, one after the other: a line for each span, with its duration at the right edge,
 * and a line of totals. Nothing of what spans hold can move the cursor or change colours. Ends with a line break.
 */
export function renderTree(spans: readonly Span[], look: Look): string {
  return buildForest(spans)
    .map((trace) => renderTrace(trace, look))
    .join('\n');
}

function renderTrace(trace: Trace, look: Look): string {
  const lines = trace.tops.map((top) => {
    const orphan = isRoot(top.span) ? [] : [{ text: '(its parent is missing)', style: 'dim' } as const];
    const around = { content: look.content, directory: directoryOf(top.span.resource), is_unasked: false };
    return renderNode(top, '', '', orphan, around, look);
  });
  return `${lines.join('')}${renderTotals(trace, look)}`;
}

/** `indent` is that of the node's own line, `below` that of what hangs under it. */
function renderNode(
  { span, children }: SpanNode,
  indent: string,
  below: string,
  extra: readonly Piece[],
  around: LineSurroundings,
  look: Look,
): string {
  const directory = directoryOf(span) ?? around.directory;
  const line = spanLine(span, indent, { ...around, directory });
  const inner = { ...around, directory, is_unasked: !isRequested(span) };
  const { shown, rest } = selectChildren(children);
  const rendered = [renderLine({ ...line, marks: [...line.marks, ...extra] }, look)];
  if (look.content) {
    const margin = `${below}${children.length > 0 ? '│' : ' '}   `;
    for (const said of messageLines(span)) rendered.push(renderPlain(margin, said, look));
  }
  for (const [index, child] of shown.entries()) {
    const is_last = index === shown.length - 1 && rest.length === 0;
    const branch = is_last ? '└─ ' : '├─ ';
    rendered.push(renderNode(child, below + branch, below + (is_last ? '   ' : '│  '), [], inner, look));
  }
  if (rest.length > 0) rendered.push(renderPlain(`${below}└─ `, summarise(rest), look));
  return rendered.join('');
}

function renderPlain(indent: string, words: string, look: Look): string {
  return renderLine({ indent, title: [{ text: words, style: 'dim' }], detail: [], marks: [], right: '' }, look);
}

/** The most interesting children, in their order, and the others. */
function selectChildren(children: readonly SpanNode[]): { shown: readonly SpanNode[]; rest: readonly SpanNode[] } {
  const effects = children.filter(({ span }) => interest(span) < Number.POSITIVE_INFINITY);
  if (effects.length <= SHOWN_EFFECTS) return { shown: children, rest: [] };
  const busiest = effects.reduce((most, one) => (trafficOf(one.span) > trafficOf(most.span) ? one : most));
  const rank = (node: SpanNode): number =>
    node === busiest && trafficOf(node.span) > 0 ? MAX_INTEREST : interest(node.span);
  const ranked = effects.toSorted((a, b) => rank(b) - rank(a));
  const left = new Set(ranked.slice(SHOWN_EFFECTS));
  return { shown: children.filter((child) => !left.has(child)), rest: children.filter((child) => left.has(child)) };
}

/** Bytes. An agent's connection to its model is what moves most. */
function trafficOf(span: Span): number {
  return amount(span, ATTR_UNDERSIGHT_NETWORK_BYTES_SENT) + amount(span, ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED);
}

function interest(span: Span): number {
  if (span.attributes[ATTR_GEN_AI_OPERATION_NAME] !== undefined) return Number.POSITIVE_INFINITY;
  let points = 0;
  if (!isRequested(span)) points += 8;
  if (span.status.code === 'error') points += 4;
  if (span.attributes[ATTR_PROCESS_PID] !== undefined) points += 2;
  if (span.attributes[ATTR_MCP_METHOD_NAME] !== undefined) points += 2;
  if (span.attributes[ATTR_UNDERSIGHT_NETWORK_OPERATION] !== undefined) points += 2;
  const has_done = span.attributes[ATTR_ERROR_TYPE] === undefined && !span.name.startsWith('read ');
  if (span.attributes[ATTR_FILE_PATH] === undefined || has_done) points += 1;
  return points;
}

/** `… 130 more: 120 read workspace, 10 true` */
function summarise(nodes: readonly SpanNode[]): string {
  const names = [...Map.groupBy(nodes, ({ span }) => span.name)].map(([name, same]) => ({ name, count: same.length }));
  const most = names.toSorted((a, b) => b.count - a.count).slice(0, 5);
  const listed = most.map(({ name, count }) => `${countText(count)} ${name}`).join(', ');
  return `… ${nodes.length} more: ${listed}${names.length > most.length ? ', …' : ''}`;
}

function renderTotals({ trace_id, spans }: Trace, look: Look): string {
  const unasked = new Map(spans.flatMap((span) => (isRequested(span) ? [] : [[span.span_id, span]])));
  const unasked_count = unasked
    .values()
    .filter(({ parent_span_id }) => !unasked.has(parent_span_id ?? ''))
    .toArray().length;
  const error_count = spans.filter(({ status }) => status.code === 'error').length;
  const pieces: Piece[] = [
    { text: `trace ${trace_id.slice(0, TRACE_ID_CHARS)} · ${plural(spans.length, 'span')}`, style: 'dim' },
  ];
  const add = (text: string, style: Piece['style']) => void pieces.push({ text: ' · ', style: 'dim' }, { text, style });
  if (error_count > 0) add(plural(error_count, 'error'), 'error');
  if (unasked_count > 0) add(`${unasked_count} not requested`, 'warning');
  return renderLine({ indent: '', title: pieces, detail: [], marks: [], right: '' }, look);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
