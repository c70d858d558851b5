import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Span } from '../../model/span.ts';
import { toReadableSpan } from './readable-span.ts';

/**
 * OTLP/JSON, an ExportTraceServiceRequest (OTLP specification, "JSON Protobuf Encoding"), on one line that ends with a line
 * break. Spans of one resource stand together, in their order.
 */
export function encodeOtlpJson(spans: readonly Span[], { content }: { readonly content: boolean }): string {
  const bytes = JsonTraceSerializer.serializeRequest(spans.map((span) => toReadableSpan(span, content)));
  return `${new TextDecoder().decode(bytes)}\n`;
}
