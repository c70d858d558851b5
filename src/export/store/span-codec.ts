import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Attributes, AttributeValue, Resource, Span } from '../../model/span.ts';

/**
 * Attribute names are stored as values, in `[name, type, value]` lists: V8 in Node 24 misreads some escaped keys after
 * JSON.parse (nodejs/node#63785). Everything goes through JSON, whose escapes keep what UTF-8 cannot: lone surrogates.
 */
type Triple = [name: string, type: string, value: unknown];

/** Where long content is kept: `put` gives an id for a text, `get` the text again. */
export interface ContentTable {
  put(text: string): number;
  get(id: number): string;
}

type Split = (text: string) => string[] | undefined;

const COMPRESS_BYTES = 512;
/** Shorter content is cheaper in place than by reference. */
const REFERENCE_CHARS = 64;

export function encodeResource(resource: Resource): string {
  return JSON.stringify(encodeAttributes(resource.attributes));
}

export function decodeResource(body: string): Resource {
  return { attributes: decodeAttributes(JSON.parse(body)) };
}

/** Everything of the span but its ids and its resource. Content goes to `table`, arrays of it element by element. */
export function encodeSpan(span: Span, table: ContentTable, split: Split): string | Uint8Array {
  return compress(
    JSON.stringify([
      span.parent_span_id ?? null,
      span.parent_is_remote,
      span.trace_state ?? null,
      span.name,
      span.kind,
      String(span.start_unix_ns),
      String(span.end_unix_ns),
      encodeAttributes(span.attributes),
      Object.entries(span.content).map(([name, value]) => encodeContent(name, value, table, split)),
      span.events.map((event) => [event.name, String(event.time_unix_ns), encodeAttributes(event.attributes)]),
      span.links.map((link) => [
        link.trace_id,
        link.span_id,
        link.trace_state ?? null,
        encodeAttributes(link.attributes),
      ]),
      span.status.code,
      span.status.message ?? null,
    ]),
  );
}

/** The inverse of `encodeSpan`: an equal span. `table` is not asked when `withContent` is false. */
export function decodeSpan(
  trace_id: string,
  span_id: string,
  body: string | Uint8Array,
  resource: Resource,
  table: ContentTable,
  withContent: boolean,
): Span {
  const parts = JSON.parse(decompress(body));
  const [parent, remote, trace_state, name, kind, start, end, attributes, content, events, links, code, message] =
    parts;
  return {
    trace_id,
    span_id,
    parent_span_id: parent ?? undefined,
    parent_is_remote: remote,
    trace_state: trace_state ?? undefined,
    name,
    kind,
    start_unix_ns: BigInt(start),
    end_unix_ns: BigInt(end),
    attributes: decodeAttributes(attributes),
    content: withContent ? decodeAttributes(content, table) : {},
    events: events.map(([event_name, time, of_event]: [string, string, Triple[]]) => ({
      name: event_name,
      time_unix_ns: BigInt(time),
      attributes: decodeAttributes(of_event),
    })),
    links: links.map(([link_trace, link_span, state, of_link]: [string, string, string | null, Triple[]]) => ({
      trace_id: link_trace,
      span_id: link_span,
      trace_state: state ?? undefined,
      attributes: decodeAttributes(of_link),
    })),
    status: { code, message: message ?? undefined },
    resource,
  };
}

/** UTF-8, in zstd where that is shorter. */
export function compress(text: string): string | Uint8Array {
  if (text.length < COMPRESS_BYTES) return text;
  const bytes = zstdCompressSync(text);
  return bytes.length < text.length ? bytes : text;
}

export function decompress(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : zstdDecompressSync(body).toString('utf8');
}

function encodeAttributes(attributes: Attributes): Triple[] {
  return Object.entries(attributes).map(([name, value]) => encodeValue(name, value));
}

function encodeValue(name: string, value: AttributeValue): Triple {
  if (typeof value === 'bigint') return [name, 'i', String(value)];
  // NaN, the infinities and -0 have no JSON.
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return [name, 'n', Object.is(value, -0) ? '-0' : String(value)];
  }
  return [name, 'v', value];
}

function encodeContent(name: string, value: AttributeValue, table: ContentTable, split: Split): Triple {
  if (typeof value !== 'string' || value.length < REFERENCE_CHARS || !value.isWellFormed()) {
    return encodeValue(name, value);
  }
  const elements = split(value);
  if (elements === undefined) return [name, 't', table.put(value)];
  return [name, 'e', elements.map((text) => (text.length < REFERENCE_CHARS ? text : table.put(text)))];
}

function decodeAttributes(triples: readonly Triple[], table?: ContentTable): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, type, value] of triples) {
    // A plain assignment to `__proto__` would set the prototype.
    Object.defineProperty(attributes, name, {
      value: decodeValue(type, value, table),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return attributes;
}

function decodeValue(type: string, value: unknown, table: ContentTable | undefined): AttributeValue {
  if (type === 'i') return BigInt(value as string);
  if (type === 'n') return Number(value);
  if (type === 't') return table?.get(value as number) ?? '';
  if (type !== 'e') return value as AttributeValue;
  const elements = (value as (number | string)[]).map((part) => (typeof part === 'string' ? part : table?.get(part)));
  return `[${elements.join(',')}]`;
}
