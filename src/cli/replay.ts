import { type Command, Option } from 'commander';
import { createExporters } from '../exporters.ts';
import { createCounters } from '../health/counters.ts';
import { replay } from '../kernel/replay.ts';
import type { Span } from '../model/span.ts';
import { createPipeline } from '../pipeline.ts';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import { describeLosses } from './losses.ts';
import { openFile, standardOutput } from './output.ts';
import type { Terminal } from './terminal.ts';
import { collectInto, formatSpans, lookOf, TRACE_FORMATS, type TraceFlags, withoutConsole } from './trace-format.ts';

interface ReplayFlags extends ConfigFlags, TraceFlags {
  readonly export?: boolean;
}

const EXAMPLES = `
The same recording gives the same trace, on any machine and without root.

Examples:
  undersight replay agent.rec
  undersight replay agent.rec --format otlp-json --output trace.json
  undersight replay agent.rec --export --config undersight.yaml
`;

export function addReplay(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('replay'))
    .description('make traces of a recording')
    .argument('<file>', 'the recording')
    .addOption(new Option('-f, --format <format>', 'how').choices(TRACE_FORMATS).default('tree'))
    .option('-o, --output <file>', 'where the trace goes instead of standard output')
    .option('--content', 'with prompts, answers and arguments')
    .option('--export', "also give it to the configuration's exporters, the store included")
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: ReplayFlags) => replayFile(file, flags, terminal));
}

async function replayFile(file: string, flags: ReplayFlags, terminal: Terminal): Promise<void> {
  const config = readConfig(flags, terminal);
  const warn = (message: string) => terminal.err(`undersight: ${message}\n`);
  const counters = createCounters();
  const output = flags.output === undefined ? standardOutput(terminal) : openFile(flags.output);
  const look = lookOf(flags, output, terminal);
  const spans: Span[] = [];
  const exporters = flags.export ? withoutConsole(config) : [];
  const pipeline = createPipeline({
    config,
    counters,
    exporters: [
      collectInto(spans, look.content, counters),
      ...createExporters(exporters, { counters, terminal, warn }),
    ],
  });
  await replay({ path: file, counters, warn }, pipeline);
  await pipeline.close?.();
  output.write(formatSpans(spans, flags.format, look), 'Make room there, or name another file with --output.');
  for (const line of describeLosses(counters, 'trace')) warn(line);
}
