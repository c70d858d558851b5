import { type Command, InvalidArgumentError } from 'commander';
import { printable } from '../export/console/printable-text.ts';
import { costText, durationText } from '../export/console/quantity-text.ts';
import type { TraceSummary } from '../export/store/trace-reader.ts';
import { toJson } from './json.ts';
import { formatMoment, nowUnixNs, parseMoment } from './moment.ts';
import { addStoreOptions, type StoreFlags, withStore } from './store-options.ts';
import { type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface LsFlags extends StoreFlags {
  readonly limit: number;
  readonly since?: string;
  readonly agent?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  undersight traces ls
  undersight traces ls --since 2h --agent claude-code
  undersight traces ls --limit 1000 --json | jq '.[] | select(.not_requested_count > 0) | .trace_id'
`;

const COLUMNS: readonly Column<TraceSummary>[] = [
  { title: 'TRACE', cell: (trace) => trace.trace_id.slice(0, 12) },
  { title: 'AGENT', cell: (trace) => printable(trace.agent).slice(0, 40) },
  { title: 'STARTED', cell: (trace) => formatMoment(trace.start_unix_ns) },
  { title: 'TOOK', align: 'right', cell: (trace) => durationText(trace.end_unix_ns - trace.start_unix_ns) },
  { title: 'LLM CALLS', align: 'right', cell: (trace) => String(trace.llm_call_count) },
  { title: 'TOOLS', align: 'right', cell: (trace) => String(trace.tool_call_count) },
  { title: 'TOKENS IN', align: 'right', cell: (trace) => String(trace.input_tokens) },
  { title: 'OUT', align: 'right', cell: (trace) => String(trace.output_tokens) },
  { title: 'COST', align: 'right', cell: ({ cost_usd }) => (cost_usd === null ? '' : costText(cost_usd)) },
  { title: 'SPANS', align: 'right', cell: (trace) => String(trace.span_count) },
  { title: 'ERRORS', align: 'right', cell: (trace) => String(trace.error_count) },
  { title: 'NOT REQUESTED', align: 'right', cell: (trace) => String(trace.not_requested_count) },
];

export function addTracesLs(traces: Command, terminal: Terminal): void {
  addStoreOptions(traces.command('ls'))
    .description('list stored traces, the newest first')
    .option('-n, --limit <count>', 'at most so many', parseCount, 20)
    .option('--since <time>', 'that ended since then: 2h, 7d, 2026-01-31')
    .option('--agent <name>', 'of this agent')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: LsFlags) => {
      const since_unix_ns = flags.since === undefined ? undefined : parseMoment(flags.since, '--since', nowUnixNs());
      withStore(flags, terminal, (stored, path) => {
        const list = stored?.listTraces({ agent: flags.agent, since_unix_ns }, flags.limit) ?? [];
        if (flags.json) terminal.out(toJson(list));
        else if (list.length > 0) terminal.out(renderTable(COLUMNS, list));
        else terminal.err(`no traces in ${path}\n`);
      });
    });
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a number, 1 or more.');
  return Number(text);
}
