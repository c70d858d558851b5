import type { Config, ExporterConfig } from '../config/components.ts';
import { capturesContent } from '../export/capture-content.ts';
import { renderJson } from '../export/console/render-json.ts';
import { renderTree } from '../export/console/render-tree.ts';
import { encodeOtlpJson } from '../export/otlp/otlp-json.ts';
import type { Counters } from '../health/counters.ts';
import type { Span } from '../model/span.ts';
import type { Stage } from '../stage.ts';
import type { Terminal } from './terminal.ts';

export const TRACE_FORMATS = ['tree', 'json', 'otlp-json'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

export interface TraceFlags {
  readonly format: TraceFormat;
  readonly output?: string;
  readonly content?: boolean;
}

export interface Look {
  readonly color: boolean;
  readonly width: number;
  /** With prompts, answers and arguments. */
  readonly content: boolean;
}

/** Spans as text that ends with a newline. */
export function formatSpans(spans: readonly Span[], format: TraceFormat, look: Look): string {
  switch (format) {
    case 'tree':
      return renderTree(spans, look);
    case 'json':
      return renderJson(spans, look);
    case 'otlp-json':
      return encodeOtlpJson(spans, look);
  }
}

/** Content is shown where the flag, or OpenTelemetry's own variable for it, asks for it. */
export function lookOf(
  flags: TraceFlags,
  { color }: { readonly color: boolean },
  terminal: Terminal,
  width = terminal.width,
): Look {
  const content = flags.content ?? capturesContent(terminal.env);
  return { color, width: flags.output === undefined ? width : Number.POSITIVE_INFINITY, content };
}

/** A command keeps no more than that until its end; the store has them all. */
const MAX_COLLECTED_SPANS = 300_000;

/**
 * An exporter that keeps all spans, for a command that shows them at its end: with their content only where that is shown.
 * Counts `trace.spans_not_shown`.
 */
export function collectInto(spans: Span[], content: boolean, counters: Counters): Stage<Span> {
  return {
    push(span) {
      if (spans.length < MAX_COLLECTED_SPANS) spans.push(content ? span : { ...span, content: {} });
      else counters.lost('trace.spans_not_shown');
    },
  };
}

/** The configuration's exporters for a command that shows the traces itself. */
export function withoutConsole(config: Config): readonly ExporterConfig[] {
  return config.exporters.filter(({ type }) => type !== 'console');
}
