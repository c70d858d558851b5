import type { Counters } from '../health/counters.ts';
import type { Activity } from '../model/activity.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { SessionEvent } from '../model/event.ts';
import type { Span, SpanLink } from '../model/span.ts';
import type { Stage } from '../stage.ts';
import { agentSpan } from './agent-span.ts';
import { boundAttributes } from './bounded-attributes.ts';
import { chatSpan } from './chat-span.ts';
import { type Costs, createCosts } from './costs.ts';
import { fileSpan } from './file-span.ts';
import { mcpSpan } from './mcp-span.ts';
import { networkSpan } from './network-span.ts';
import type { SpansOptions } from './options.ts';
import { processSpan } from './process-span.ts';
import { createResources } from './resources.ts';
import type { SpanBody } from './span-body.ts';
import { toolSpan } from './tool-span.ts';
import { checkTracestate, parseTraceparent, spanIdOf, traceIdOf } from './trace-context.ts';

export interface SpansStageOptions extends SpansOptions {
  readonly counters: Counters;
}

/** Chats and open activities that are remembered, for what refers to them later. */
const REMEMBERED = 65_536;
const UNLIMITED = { max_attribute_chars: Number.POSITIVE_INFINITY, max_attribute_items: Number.POSITIVE_INFINITY };

/**
 * Turns activities into OTel spans with the names of the GenAI semantic conventions (docs/attributes.md). Kernel time becomes
 * wall-clock time here, through the session's offset. Counts under `spans.`: call_unpriced, turn_cost_incomplete, no_session,
 * link_unknown, parent_unknown, resource_variable_invalid, traceparent_invalid.
 */
export function createSpans(options: SpansStageOptions, next: Stage<Span>): Stage<Activity | SessionEvent> {
  const { counters } = options;
  let session: SessionEvent | undefined;
  let resources = createResources(options, counters);
  const costs = createCosts(counters);
  const openSpans = new BoundedMap<string, Pick<SpanLink, 'trace_id' | 'span_id'>>(REMEMBERED);
  const chatParents = new BoundedMap<string, string | undefined>(REMEMBERED);

  function link(ids: Pick<SpanLink, 'trace_id' | 'span_id'>, trace_state?: string): SpanLink {
    return { trace_id: ids.trace_id, span_id: ids.span_id, trace_state, attributes: {} };
  }

  /** Where the span hangs: under its parent, or, with `siblings`, a tool call beside the chat that asked for it. */
  function place(activity: Activity, trace_id: string): { parent_id: string | undefined; links: SpanLink[] } {
    const { parent_id } = activity;
    if (options.topology === 'nested' || activity.kind !== 'execute_tool' || parent_id === undefined) {
      return { parent_id, links: [] };
    }
    const agent_id = chatParents.get(parent_id);
    if (agent_id === undefined) {
      counters.lost('spans.parent_unknown');
      return { parent_id, links: [] };
    }
    return { parent_id: agent_id, links: [link({ trace_id, span_id: spanIdOf(parent_id) })] };
  }

  /** The links that the activity itself asks for. */
  function linksOf(activity: Activity): SpanLink[] {
    const links: SpanLink[] = [];
    if (activity.continues !== undefined) {
      const before = openSpans.get(activity.continues);
      if (before === undefined) counters.lost('spans.link_unknown');
      else links.push(link(before));
    }
    const { traceparent, tracestate } = remoteParent(activity) ?? {};
    if (traceparent !== undefined) {
      const remote = parseTraceparent(traceparent);
      if (remote === undefined) counters.counted('spans.traceparent_invalid');
      else links.push(link(remote, checkTracestate(tracestate)));
    }
    return links;
  }

  function spanOf(activity: Activity, { unix_offset_ns }: SessionEvent, resource: Span['resource']): Span {
    const remote = parseTraceparent(activity.traceparent);
    if (remote === undefined && activity.traceparent !== undefined) counters.counted('spans.traceparent_invalid');
    const trace_id = remote?.trace_id ?? traceIdOf(activity.turn_id);
    const span_id = spanIdOf(activity.id);
    const { parent_id, links } = place(activity, trace_id);
    const start_unix_ns = activity.start_ns + unix_offset_ns;
    const end_unix_ns = activity.end_ns + unix_offset_ns;
    const body = bodyOf(activity, costs, end_unix_ns);
    return {
      trace_id,
      span_id,
      parent_span_id: parent_id === undefined ? remote?.span_id : spanIdOf(parent_id),
      parent_is_remote: parent_id === undefined && remote !== undefined,
      trace_state: remote === undefined ? undefined : checkTracestate(activity.tracestate),
      name: body.name,
      kind: body.kind,
      start_unix_ns,
      // Backends take a span without duration for one that is broken.
      end_unix_ns: end_unix_ns > start_unix_ns ? end_unix_ns : start_unix_ns + 1n,
      attributes: boundAttributes(body.attributes, options),
      content: boundAttributes(body.content, UNLIMITED),
      events: [],
      links: [...links, ...linksOf(activity)],
      status: { code: body.failed ? 'error' : 'unset', message: undefined },
      resource,
      ...(options.sampling === 'parent' && remote?.sampled === false && { sampled: false }),
    };
  }

  return {
    push(item) {
      if (item.kind === 'session') {
        session = item;
        resources = createResources(options, counters);
        return;
      }
      if (session === undefined) {
        counters.lost('spans.no_session');
        return;
      }
      const span = spanOf(item, session, resources.of(item.agent, session));
      if (item.open) openSpans.set(item.id, { trace_id: span.trace_id, span_id: span.span_id });
      if (item.kind === 'chat' && options.topology === 'siblings') chatParents.set(item.id, item.parent_id);
      next.push(span);
    },
    tick: (now_ns) => next.tick?.(now_ns),
    close: () => next.close?.(),
  };
}

/** The remote parent that an activity itself names, where that is not its turn's. */
function remoteParent(
  activity: Activity,
): { readonly traceparent: string | undefined; readonly tracestate: string | undefined } | undefined {
  if (activity.kind === 'chat') {
    return { traceparent: activity.linked_traceparent, tracestate: activity.call.tracestate };
  }
  const call = activity.kind === 'mcp' ? activity.call : activity.kind === 'execute_tool' ? activity.mcp : undefined;
  return call?.traceparent === activity.traceparent ? undefined : call;
}

function bodyOf(activity: Activity, costs: Costs, end_unix_ns: bigint): SpanBody {
  switch (activity.kind) {
    case 'invoke_agent':
      return agentSpan(activity, costs.ofTurn(activity));
    case 'chat':
      return chatSpan(activity, costs.ofCall(activity, Number(end_unix_ns / 1_000_000n)));
    case 'execute_tool':
      return toolSpan(activity);
    case 'mcp':
      return mcpSpan(activity);
    case 'process':
      return processSpan(activity);
    case 'file':
      return fileSpan(activity);
    case 'network':
      return networkSpan(activity);
  }
}
