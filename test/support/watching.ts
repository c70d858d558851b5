import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readOtlp, type TraceNode } from '../e2e/trace.ts';
import { root, type Workspace } from '../e2e/workspace.ts';
import { isCall } from './comparison.ts';

/** Longer than the reorder window and the grace after an exit. */
const SETTLE_MS = 1500;

/** Starts `undersight watch` without any option; `stop` ends it and gives the spans of all traces with a call to `port`. */
export async function startWatching(workspace: Workspace): Promise<{ stop(port: number): Promise<TraceNode[]> }> {
  const watch = spawn(join(root, 'undersight'), ['watch'], {
    env: { ...process.env, UNDERSIGHT_STORE: workspace.path('traces.db') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(watch, 'close');
  let stderr = '';
  watch.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  while (!stderr.includes('watching')) {
    if (watch.exitCode !== null || watch.signalCode !== null) throw new Error(stderr);
    await sleep(20);
  }
  return {
    async stop(port) {
      await sleep(SETTLE_MS);
      watch.kill('SIGINT');
      await closed;
      const listed = await workspace.undersight('traces', 'ls', '--json');
      const spans: TraceNode[] = [];
      const traces = JSON.parse(listed.stdout) as { trace_id: string; llm_call_count: number }[];
      for (const { trace_id, llm_call_count } of traces) {
        if (llm_call_count === 0) continue;
        const shown = await workspace.undersight('traces', 'show', trace_id, '--content', '--format', 'otlp-json');
        const trace = readOtlp(JSON.parse(shown.stdout));
        if (trace.some((span) => isCall(span) && span.attributes['server.port'] === port)) spans.push(...trace);
      }
      return spans;
    },
  };
}
