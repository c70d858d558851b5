/** Reads OTLP JSON into a tree that tests can ask about. */

export interface TraceNode {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string | undefined;
  readonly name: string;
  /** As OTLP numbers it: 1 internal, 3 client. */
  readonly kind: number;
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status_code: number;
  readonly status_message: string;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly trace_id: string; readonly span_id: string }[];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly children: TraceNode[];
}

interface OtlpValue {
  stringValue?: string;
  intValue?: string | number;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values?: OtlpValue[] };
}

interface OtlpAttribute {
  key: string;
  value: OtlpValue;
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: OtlpAttribute[];
  status?: { code?: number; message?: string };
  events?: { name: string; attributes?: OtlpAttribute[] }[];
  links?: { traceId: string; spanId: string }[];
}

export interface OtlpDocument {
  resourceSpans?: { resource?: { attributes?: OtlpAttribute[] }; scopeSpans?: { spans?: OtlpSpan[] }[] }[];
}

/** All spans of some export requests, in their order, linked to their children. */
export function readOtlp(...documents: OtlpDocument[]): TraceNode[] {
  const nodes: TraceNode[] = [];
  for (const document of documents) {
    for (const { resource, scopeSpans } of document.resourceSpans ?? []) {
      const resourceAttributes = readAttributes(resource?.attributes);
      for (const span of (scopeSpans ?? []).flatMap((scope) => scope.spans ?? [])) {
        nodes.push(readSpan(span, resourceAttributes));
      }
    }
  }
  const byId = new Map(nodes.map((node) => [`${node.trace_id}/${node.span_id}`, node]));
  for (const node of nodes) byId.get(`${node.trace_id}/${node.parent_span_id}`)?.children.push(node);
  for (const node of nodes) node.children.sort((a, b) => Number(a.start_ns - b.start_ns));
  return nodes;
}

/** A node and everything under it, depth first. */
export function descend(node: TraceNode): TraceNode[] {
  return [node, ...node.children.flatMap(descend)];
}

export const isAgent = (node: TraceNode) => node.attributes['gen_ai.operation.name'] === 'invoke_agent';
export const isTool = (node: TraceNode) => node.attributes['gen_ai.operation.name'] === 'execute_tool';
export const isChat = (node: TraceNode) => node.attributes['gen_ai.operation.name'] === 'chat';
export const isProcess = (node: TraceNode) => node.attributes['process.pid'] !== undefined && !isAgent(node);
export const isFile = (node: TraceNode) => node.attributes['file.path'] !== undefined;
export const isNetwork = (node: TraceNode) => node.attributes['undersight.network.operation'] !== undefined;

/** Spans as flat values in the order of their ids, to compare what two places say about the same trace. */
export function comparable(nodes: readonly TraceNode[]): object[] {
  const flat = nodes.map(({ children: _, ...span }) => span);
  return flat.sort((a, b) => (a.span_id < b.span_id ? -1 : 1));
}

/** The trace as indented names, for messages of failed assertions. */
export function outline(nodes: readonly TraceNode[]): string {
  const ids = new Set(nodes.map((node) => node.span_id));
  const lines: string[] = [];
  const visit = (node: TraceNode, depth: number) => {
    const detail = node.attributes['file.path'] ?? node.attributes['process.command_args'] ?? '';
    lines.push(`${'  '.repeat(depth)}${node.name} ${detail}`);
    for (const child of node.children) visit(child, depth + 1);
  };
  for (const node of nodes) if (!ids.has(node.parent_span_id ?? '')) visit(node, 0);
  return `\n${lines.slice(0, 200).join('\n')}`;
}

function readSpan(span: OtlpSpan, resource: Readonly<Record<string, unknown>>): TraceNode {
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId || undefined,
    name: span.name,
    kind: span.kind ?? 0,
    start_ns: BigInt(span.startTimeUnixNano),
    end_ns: BigInt(span.endTimeUnixNano),
    attributes: readAttributes(span.attributes),
    status_code: span.status?.code ?? 0,
    status_message: span.status?.message ?? '',
    events: (span.events ?? []).map((event) => ({ name: event.name, attributes: readAttributes(event.attributes) })),
    links: (span.links ?? []).map((link) => ({ trace_id: link.traceId, span_id: link.spanId })),
    resource,
    children: [],
  };
}

function readAttributes(attributes: readonly OtlpAttribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: OtlpValue): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(readValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}
