import type { Span } from '../../model/span.ts';
import { ATTR_FILE_PATH, ATTR_GEN_AI_OPERATION_NAME, ATTR_PROCESS_PID } from '../../spans/semconv.gen.ts';
import { messageLines } from './message-lines.ts';
import { countText } from './quantity-text.ts';
import { buildForest, isRoot, type SpanNode, type Trace } from './span-forest.ts';
import { directoryOf, spanLine } from './span-line.ts';
import { isRequested } from './span-marks.ts';
import { type Look, type Piece, renderLine } from './styled-line.ts';

/** Effects under one parent that get a line each; the rest are counted on one. LLM and tool calls always get theirs. */
const SHOWN_EFFECTS = 40;
const TRACE_ID_CHARS = 12;

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
    return renderNode(top, '', '', orphan, directoryOf(top.span.resource), look);
  });
  return `${lines.join('')}${renderTotals(trace, look)}`;
}

/** `indent` is that of the node's own line, `below` that of what hangs under it. */
function renderNode(
  { span, children }: SpanNode,
  indent: string,
  below: string,
  extra: readonly Piece[],
  directory: string | undefined,
  look: Look,
): string {
  const own_directory = directoryOf(span) ?? directory;
  const line = spanLine(span, indent, { content: look.content, directory: own_directory });
  const { shown, rest } = selectChildren(children);
  const rendered = [renderLine({ ...line, marks: [...line.marks, ...extra] }, look)];
  if (look.content) {
    const margin = `${below}${children.length > 0 ? '│' : ' '}   `;
    for (const said of messageLines(span)) rendered.push(renderPlain(margin, said, look));
  }
  for (const [index, child] of shown.entries()) {
    const is_last = index === shown.length - 1 && rest.length === 0;
    const branch = is_last ? '└─ ' : '├─ ';
    rendered.push(renderNode(child, below + branch, below + (is_last ? '   ' : '│  '), [], own_directory, look));
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
  const ranked = effects.toSorted((a, b) => interest(b.span) - interest(a.span));
  const left = new Set(ranked.slice(SHOWN_EFFECTS));
  return { shown: children.filter((child) => !left.has(child)), rest: children.filter((child) => left.has(child)) };
}

function interest(span: Span): number {
  if (span.attributes[ATTR_GEN_AI_OPERATION_NAME] !== undefined) return Number.POSITIVE_INFINITY;
  let points = 0;
  if (!isRequested(span)) points += 8;
  if (span.status.code === 'error') points += 4;
  if (span.attributes[ATTR_PROCESS_PID] !== undefined) points += 2;
  if (span.attributes[ATTR_FILE_PATH] === undefined || !span.name.startsWith('read ')) points += 1;
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
  const unasked_count = spans.filter((span) => !isRequested(span)).length;
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
