import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Span } from '../../model/span.ts';
import { toReadableSpan } from './readable-span.ts';

/**
 * One line of OTLP/JSON, an ExportTraceServiceRequest (OTLP specification, "JSON Protobuf Encoding"), without a line break at
 * its end. Spans of one resource stand together, in their order.
 */
export function toOtlpJson(spans: readonly Span[], include_content: boolean): string {
  const bytes = JsonTraceSerializer.serializeRequest(spans.map((span) => toReadableSpan(span, include_content)));
  return new TextDecoder().decode(bytes);
}
