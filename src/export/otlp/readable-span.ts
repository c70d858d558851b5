import {
  createTraceState,
  type HrTime,
  type Attributes as SdkAttributes,
  type AttributeValue as SdkAttributeValue,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { resourceFromAttributes, type Resource as SdkResource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Attributes, Resource, Span } from '../../model/span.ts';

/** The schema of the conventions 1.41.1: patch releases have none of their own. */
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.41.0';
const NS_PER_S = 1_000_000_000n;
const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER } as const;
const STATUS_CODES = { unset: SpanStatusCode.UNSET, ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const;
/** The doubles next to what an int64 can hold. */
const MAX_INT64 = 2 ** 63 - 1024;
const MIN_INT64 = -(2 ** 63);

/** The encoders put spans together by the identity of their resource. */
const sdkResources = new WeakMap<Resource, SdkResource>();

/** The span as OTel's exporters take it, with its content among its attributes when asked to. */
export function toReadableSpan(span: Span, include_content: boolean): ReadableSpan {
  const { trace_id, span_id, parent_span_id } = span;
  const attributes = include_content ? { ...span.attributes, ...span.content } : span.attributes;
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => spanContext(trace_id, span_id, span.trace_state),
    parentSpanContext:
      parent_span_id === undefined
        ? undefined
        : { ...spanContext(trace_id, parent_span_id, undefined), isRemote: span.parent_is_remote },
    startTime: hrTime(span.start_unix_ns),
    endTime: hrTime(span.end_unix_ns),
    duration: hrTime(span.end_unix_ns - span.start_unix_ns),
    ended: true,
    status: { code: STATUS_CODES[span.status.code], message: span.status.message },
    attributes: sdkAttributes(attributes),
    links: span.links.map((link) => ({
      context: spanContext(link.trace_id, link.span_id, link.trace_state),
      attributes: sdkAttributes(link.attributes),
    })),
    events: span.events.map((event) => ({
      name: event.name,
      time: hrTime(event.time_unix_ns),
      attributes: sdkAttributes(event.attributes),
    })),
    resource: sdkResource(span.resource),
    instrumentationScope: { name: 'undersight', schemaUrl: SCHEMA_URL },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function spanContext(traceId: string, spanId: string, trace_state: string | undefined): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    traceState: trace_state === undefined ? undefined : createTraceState(trace_state),
  };
}

function hrTime(time_ns: bigint): HrTime {
  return [Number(time_ns / NS_PER_S), Number(time_ns % NS_PER_S)];
}

function sdkResource(resource: Resource): SdkResource {
  const known = sdkResources.get(resource);
  if (known !== undefined) return known;
  const made = resourceFromAttributes(sdkAttributes(resource.attributes), { schemaUrl: SCHEMA_URL });
  sdkResources.set(resource, made);
  return made;
}

/** OTel's encoders know no bigint, and no JSON holds NaN. */
function sdkAttributes(attributes: Attributes): SdkAttributes {
  const converted: Record<string, SdkAttributeValue> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'bigint') converted[name] = Math.min(Math.max(Number(value), MIN_INT64), MAX_INT64);
    else if (typeof value === 'object') converted[name] = [...value];
    else if (typeof value !== 'number' || Number.isFinite(value)) converted[name] = value;
  }
  return converted;
}
