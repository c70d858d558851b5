import type { Counters } from '../../health/counters.ts';
import type { Span } from '../../model/span.ts';
import type { Stage } from '../../stage.ts';
import { capturesContent } from '../capture-content.ts';
import type { ConsoleOptions } from './options.ts';
import { renderJson } from './render-json.ts';
import { renderTree } from './render-tree.ts';
import { isRoot } from './span-forest.ts';

export interface ConsoleSurroundings {
  readonly terminal: { readonly color: boolean; readonly width: number; out(text: string): void };
  readonly counters: Counters;
  readonly env: NodeJS.ProcessEnv;
}

const MAX_WAITING_SPANS = 100_000;

interface WaitingTrace {
  readonly spans: Span[];
  has_root: boolean;
}

/**
 * Prints each trace at the first tick after its root has come, what is left at the end, and the oldest trace early when
 * too many spans wait (counted as `console.printed_early`); or, as JSON, each span at once.
 */
export function createConsoleExporter(options: ConsoleOptions, around: ConsoleSurroundings): Stage<Span> {
  const { terminal, counters } = around;
  const look = {
    color: terminal.color,
    width: terminal.width,
    content: options.include_content ?? capturesContent(around.env),
  };
  const waiting = new Map<string, WaitingTrace>();
  let waiting_spans = 0;

  function print(trace_id: string, { spans }: WaitingTrace): void {
    waiting.delete(trace_id);
    waiting_spans -= spans.length;
    terminal.out(`${renderTree(spans, look)}\n`);
  }

  return {
    push(span) {
      if (options.format === 'json') {
        terminal.out(renderJson([span], look));
        return;
      }
      const trace = waiting.get(span.trace_id) ?? { spans: [], has_root: false };
      waiting.set(span.trace_id, trace);
      trace.spans.push(look.content ? span : { ...span, content: {} });
      trace.has_root ||= isRoot(span);
      waiting_spans++;
      const [oldest] = waiting;
      if (waiting_spans <= MAX_WAITING_SPANS || oldest === undefined) return;
      counters.counted('console.printed_early');
      print(...oldest);
    },
    tick() {
      for (const [trace_id, trace] of waiting) if (trace.has_root) print(trace_id, trace);
    },
    close() {
      for (const [trace_id, trace] of waiting) print(trace_id, trace);
    },
  };
}
