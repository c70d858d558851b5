import { type Command, Option } from 'commander';
import { addStoreOptions, type StoreFlags, withStore } from './store-options.ts';
import type { Terminal } from './terminal.ts';
import { formatSpans, TRACE_FORMATS, type TraceFormat } from './trace-format.ts';
import { resolveTrace } from './trace-id.ts';

interface ShowFlags extends StoreFlags {
  readonly format: TraceFormat;
  readonly content?: boolean;
}

const EXAMPLES = `
Examples:
  undersight traces show latest
  undersight traces show 4bf92f3577b3 --content
  undersight traces show latest --format otlp-json | curl -d @- -H 'content-type: application/json' \\
      http://127.0.0.1:4318/v1/traces
`;

export function addTracesShow(traces: Command, terminal: Terminal): void {
  addStoreOptions(traces.command('show'))
    .description('show one stored trace')
    .argument('<id>', 'the beginning of its id, or latest')
    .addOption(new Option('-f, --format <format>', 'how').choices(TRACE_FORMATS).default('tree'))
    .option('--content', 'with prompts, answers and arguments')
    .addHelpText('after', EXAMPLES)
    .action((prefix: string, flags: ShowFlags) => {
      const spans = withStore(flags, terminal, (stored, path) => {
        const trace_id = resolveTrace(stored, path, prefix);
        return stored?.readTrace(trace_id, flags.content === true) ?? [];
      });
      const { color, width } = terminal;
      terminal.out(formatSpans(spans, flags.format, { color, width, content: flags.content === true }));
    });
}
