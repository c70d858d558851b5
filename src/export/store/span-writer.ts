import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Resource, Span } from '../../model/span.ts';
import { createContentTable } from './content-table.ts';
import { transaction } from './database.ts';
import { splitJsonArray } from './json-elements.ts';
import { encodeResource, encodeSpan } from './span-codec.ts';
import { summarise } from './trace-summary.ts';

const LATEST = 2n ** 63n - 2n;

/** The agent's name of the trace is that of its root, or of the first span that has one. */
const ADD_TO_TRACE = `
INSERT INTO trace (trace_id, agent, root_name, service, start_unix_ns, end_unix_ns, span_count, llm_call_count,
  tool_call_count, input_tokens, output_tokens, error_count, not_requested_count, cost_usd)
VALUES ($trace_id, $agent, $root_name, $service, $start, $end, 1, $llm_call_count,
  $tool_call_count, $input_tokens, $output_tokens, $error_count, $not_requested_count, $cost_usd)
ON CONFLICT (trace_id) DO UPDATE SET
  agent = CASE WHEN excluded.root_name IS NULL THEN coalesce(agent, excluded.agent)
    ELSE coalesce(excluded.agent, agent) END,
  root_name = coalesce(root_name, excluded.root_name),
  service = coalesce(service, excluded.service),
  start_unix_ns = min(start_unix_ns, excluded.start_unix_ns),
  end_unix_ns = max(end_unix_ns, excluded.end_unix_ns),
  span_count = span_count + 1,
  llm_call_count = llm_call_count + excluded.llm_call_count,
  tool_call_count = tool_call_count + excluded.tool_call_count,
  input_tokens = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens,
  error_count = error_count + excluded.error_count,
  not_requested_count = not_requested_count + excluded.not_requested_count,
  cost_usd = coalesce(cost_usd + excluded.cost_usd, cost_usd, excluded.cost_usd)`;

export interface SpanWriter {
  /** Writes all or none, in one transaction. Gives how many were already there. Throws SQLite's errors. */
  write(spans: readonly Span[]): number;
}

export function createSpanWriter(database: DatabaseSync): SpanWriter {
  const content = createContentTable(database);
  const addToTrace = database.prepare(ADD_TO_TRACE);
  const findTrace = database.prepare('SELECT id FROM trace WHERE trace_id = ?');
  const findSpan = database.prepare('SELECT 1 FROM span WHERE trace = ? AND span_id = ?');
  const findResource = database.prepare('SELECT id FROM resource WHERE hash = ?');
  const addResource = database.prepare('INSERT INTO resource (hash, body) VALUES (?, ?)');
  const hold = database.prepare('INSERT OR IGNORE INTO trace_content (trace, content) VALUES (?, ?)');
  const addSpan = database.prepare(
    'INSERT INTO span (trace, span_id, start_unix_ns, resource, body) VALUES (?, ?, ?, ?, ?)',
  );

  function resourceId(resource: Resource): number {
    const body = encodeResource(resource);
    const hash = createHash('sha256').update(body).digest();
    return Number(findResource.get(hash)?.id ?? addResource.run(hash, body).lastInsertRowid);
  }

  /** False when the trace already has a span of this id. */
  function writeSpan(span: Span, resource: number): boolean {
    const known = findTrace.get(span.trace_id)?.id;
    if (known !== undefined && findSpan.get(known, span.span_id) !== undefined) return false;
    const start = clamp(span.start_unix_ns);
    addToTrace.run({ trace_id: span.trace_id, start, end: clamp(span.end_unix_ns), ...summarise(span) });
    const trace = Number(known ?? findTrace.get(span.trace_id)?.id);
    const table = {
      get: content.get,
      put(text: string): number {
        const id = content.put(text);
        hold.run(trace, id);
        return id;
      },
    };
    addSpan.run(trace, span.span_id, start, resource, encodeSpan(span, table, splitJsonArray));
    return true;
  }

  return {
    write(spans) {
      const resources = new Map<Resource, number>();
      return transaction(database, () => {
        let duplicates = 0;
        for (const span of spans) {
          const resource = resources.get(span.resource) ?? resourceId(span.resource);
          resources.set(span.resource, resource);
          if (!writeSpan(span, resource)) duplicates++;
        }
        return duplicates;
      });
    },
  };
}

/** The columns are for finding; the exact time is in the span's body. */
function clamp(time_ns: bigint): bigint {
  return time_ns > LATEST ? LATEST : time_ns < 0n ? 0n : time_ns;
}
