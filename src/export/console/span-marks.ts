import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { Span } from '../../model/span.ts';
import {
  ATTR_MCP_METHOD_NAME,
  ATTR_UNDERSIGHT_CAPTURE_BLIND_SPOTS,
  ATTR_UNDERSIGHT_CAPTURE_GAP,
  ATTR_UNDERSIGHT_CAPTURE_LOST_EVENTS,
  ATTR_UNDERSIGHT_CAPTURE_TRUNCATED_BYTES,
  ATTR_UNDERSIGHT_CAPTURE_UNREAD_PROTOCOL,
  ATTR_UNDERSIGHT_CORRELATION_REQUESTED,
  ATTR_UNDERSIGHT_LEFT_OUT_COUNT,
  ATTR_UNDERSIGHT_OPEN,
} from '../../spans/semconv.gen.ts';
import { bytesText, countText } from './quantity-text.ts';
import { amount, text, texts } from './span-text.ts';
import type { Piece } from './styled-line.ts';

export function isRequested(span: Span): boolean {
  return span.attributes[ATTR_UNDERSIGHT_CORRELATION_REQUESTED] !== false;
}

/** What nobody may overlook: errors, what no tool call asked for, what is missing. `is_unasked`: what it is below is marked so already. */
export function marksOf(span: Span, is_unasked: boolean): Piece[] {
  const marks: Piece[] = [];
  const mark = (style: Piece['style'], words: string) => void marks.push({ text: words, style });
  const error_type = text(span, ATTR_ERROR_TYPE);
  if (span.status.code === 'error') mark('error', `✗ ${errorText(span, error_type)}`);
  else if (error_type !== undefined) mark('dim', error_type);
  if (!isRequested(span) && !is_unasked) mark('warning', '! not requested');
  for (const loss of lossesOf(span)) mark('warning', `! ${loss}`);
  const left_out_count = amount(span, ATTR_UNDERSIGHT_LEFT_OUT_COUNT);
  if (left_out_count > 0) mark('dim', `+${countText(left_out_count)} left out`);
  if (span.attributes[ATTR_UNDERSIGHT_OPEN] === true) mark('dim', 'still running');
  return marks;
}

/** A process's error is its exit code, any other number a status of HTTP. */
function errorText({ attributes }: Span, error_type = 'error'): string {
  if (!/^\d+$/.test(error_type)) return error_type;
  return `${attributes[ATTR_MCP_METHOD_NAME] === undefined ? 'exit' : 'HTTP'} ${error_type}`;
}

function lossesOf(span: Span): string[] {
  const losses: string[] = [];
  const lost_events = amount(span, ATTR_UNDERSIGHT_CAPTURE_LOST_EVENTS);
  if (lost_events > 0) losses.push(`${countText(lost_events)} ${lost_events === 1 ? 'event' : 'events'} lost`);
  const truncated_bytes = amount(span, ATTR_UNDERSIGHT_CAPTURE_TRUNCATED_BYTES);
  const gaps = texts(span, ATTR_UNDERSIGHT_CAPTURE_GAP).join(', ');
  if (truncated_bytes > 0) losses.push(`${bytesText(truncated_bytes)} missing${gaps === '' ? '' : ` (${gaps})`}`);
  else if (gaps !== '') losses.push(gaps);
  const unread_protocol = text(span, ATTR_UNDERSIGHT_CAPTURE_UNREAD_PROTOCOL);
  if (unread_protocol !== undefined) losses.push(`${unread_protocol} not read`);
  for (const blind_spot of texts(span, ATTR_UNDERSIGHT_CAPTURE_BLIND_SPOTS)) losses.push(`blind to ${blind_spot}`);
  return losses;
}
