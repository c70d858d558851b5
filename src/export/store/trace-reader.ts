import type { DatabaseSync } from 'node:sqlite';
import type { Resource, Span } from '../../model/span.ts';
import { createContentTable } from './content-table.ts';
import { decodeResource, decodeSpan } from './span-codec.ts';

export interface TraceSummary {
  readonly trace_id: string;
  /** gen_ai.agent.name, else service.name, else the root span's name. */
  readonly agent: string;
  /** false: the root span has not come (yet): the turn goes on, or was cut off. */
  readonly has_root: boolean;
  readonly start_unix_ns: bigint;
  readonly end_unix_ns: bigint;
  readonly span_count: number;
  readonly llm_call_count: number;
  readonly tool_call_count: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly error_count: number;
  /** Effects that no tool call explains. */
  readonly not_requested_count: number;
  /** US dollars, of the calls whose price is known; null: of none. */
  readonly cost_usd: number | null;
}

/** Which traces; all that are given must hold. */
export interface TraceFilter {
  readonly agent?: string | undefined;
  /** Ended at or after. */
  readonly since_unix_ns?: bigint | undefined;
  /** Ended before. */
  readonly before_unix_ns?: bigint | undefined;
}

const AGENT = "coalesce(agent, service, root_name, '')";
const WHERE = `(?1 IS NULL OR ${AGENT} = ?1) AND end_unix_ns >= ?2 AND end_unix_ns < ?3`;

/** The newest first. */
export function listTraces(database: DatabaseSync, filter: TraceFilter, limit: number): TraceSummary[] {
  const statement = database.prepare(
    `SELECT trace_id, ${AGENT} AS agent, root_name IS NOT NULL AS has_root, start_unix_ns, end_unix_ns, span_count,
      llm_call_count, tool_call_count, input_tokens, output_tokens, error_count, not_requested_count, cost_usd
    FROM trace WHERE ${WHERE} ORDER BY start_unix_ns DESC, id DESC LIMIT ?4`,
  );
  statement.setReadBigInts(true);
  return statement.all(...filterValues(filter), limit).map((row) => ({
    trace_id: String(row.trace_id),
    agent: String(row.agent),
    has_root: row.has_root === 1n,
    start_unix_ns: row.start_unix_ns as bigint,
    end_unix_ns: row.end_unix_ns as bigint,
    span_count: Number(row.span_count),
    llm_call_count: Number(row.llm_call_count),
    tool_call_count: Number(row.tool_call_count),
    input_tokens: Number(row.input_tokens),
    output_tokens: Number(row.output_tokens),
    error_count: Number(row.error_count),
    not_requested_count: Number(row.not_requested_count),
    cost_usd: row.cost_usd === null ? null : Number(row.cost_usd),
  }));
}

/** Trace ids that match a filter. */
export function selectTraces(database: DatabaseSync, filter: TraceFilter): string[] {
  const rows = database.prepare(`SELECT trace_id FROM trace WHERE ${WHERE}`).all(...filterValues(filter));
  return rows.map((row) => String(row.trace_id));
}

/** Trace ids that begin with `prefix` (hex digits), at most `limit`, the newest first. */
export function findTraces(database: DatabaseSync, prefix: string, limit: number): string[] {
  const rows = database
    .prepare('SELECT trace_id FROM trace WHERE trace_id >= ?1 AND trace_id < ?2 ORDER BY start_unix_ns DESC LIMIT ?3')
    .all(prefix.toLowerCase(), `${prefix.toLowerCase()}g`, limit);
  return rows.map((row) => String(row.trace_id));
}

/** All spans of a trace by start time, as they were pushed; without `content` when that is false. */
export function readTrace(database: DatabaseSync, trace_id: string, withContent: boolean): Span[] {
  const content = createContentTable(database);
  const resources = new Map<number, Resource>();
  const readResource = database.prepare('SELECT body FROM resource WHERE id = ?');
  const rows = database
    .prepare(
      `SELECT span_id, resource, body FROM span WHERE trace = (SELECT id FROM trace WHERE trace_id = ?)
      ORDER BY start_unix_ns, id`,
    )
    .all(trace_id);
  return rows.map((row) => {
    const id = Number(row.resource);
    const resource = resources.get(id) ?? decodeResource(String(readResource.get(id)?.body));
    resources.set(id, resource);
    return decodeSpan(trace_id, String(row.span_id), row.body as string | Uint8Array, resource, content, withContent);
  });
}

function filterValues(filter: TraceFilter): [string | null, bigint, bigint] {
  return [filter.agent ?? null, filter.since_unix_ns ?? 0n, filter.before_unix_ns ?? 2n ** 63n - 1n];
}
