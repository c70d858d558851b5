/**
 * Schema 1. `content` holds each message once; `trace_content` says which traces hold on to it. A removed trace leaves `trace` at
 * once and waits in `removal` until its rows are gone, a few at a time; ids are never reused, so spans that come late
 * begin a new row.
 */
const SCHEMA = `
CREATE TABLE trace (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  trace_id TEXT NOT NULL UNIQUE,
  agent TEXT,
  root_name TEXT,
  service TEXT,
  start_unix_ns INTEGER NOT NULL,
  end_unix_ns INTEGER NOT NULL,
  span_count INTEGER NOT NULL,
  llm_call_count INTEGER NOT NULL,
  tool_call_count INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  not_requested_count INTEGER NOT NULL
) STRICT;
CREATE INDEX trace_by_start ON trace(start_unix_ns);
CREATE INDEX trace_by_end ON trace(end_unix_ns);
CREATE TABLE resource (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE span (
  id INTEGER PRIMARY KEY,
  trace INTEGER NOT NULL,
  span_id TEXT NOT NULL,
  start_unix_ns INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  body ANY NOT NULL,
  UNIQUE (trace, span_id)
) STRICT;
CREATE INDEX span_by_resource ON span(resource);
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  body ANY NOT NULL
) STRICT;
CREATE TABLE trace_content (
  trace INTEGER NOT NULL,
  content INTEGER NOT NULL,
  PRIMARY KEY (trace, content)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_content_by_content ON trace_content(content);
CREATE TABLE removal (trace INTEGER PRIMARY KEY) STRICT;
`;

/** Each leads from one schema to the next; a new store takes them all. */
export const MIGRATIONS: readonly string[] = [SCHEMA, 'ALTER TABLE trace ADD COLUMN cost_usd REAL'];
export const SCHEMA_VERSION = MIGRATIONS.length;
