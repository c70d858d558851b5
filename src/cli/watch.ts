import type { Command } from 'commander';
import { createExporters } from '../exporters.ts';
import { createPipeline } from '../pipeline.ts';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import { startObservation } from './observation.ts';
import { untilStopped } from './stop-signal.ts';
import type { Terminal } from './terminal.ts';

interface WatchFlags extends ConfigFlags {
  readonly record?: string;
}

const EXAMPLES = `
Agents are found by a catalogue of known ones, by receivers.undersight.targets.rules of the configuration, and by their
traffic: any process seen talking to an LLM API. Those that already run are picked up. Ctrl-C ends it.

Examples:
  sudo undersight watch
  sudo undersight watch --config undersight.yaml
  sudo undersight watch --set receivers.undersight.targets.traffic=false
  sudo undersight watch --set receivers.undersight.mcp_stdio=false
  sudo OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 undersight watch
`;

export function addWatch(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('watch'))
    .description('watch every agent of this machine')
    .option('--record <file>', 'also save the raw records, for `undersight replay`; they hold plaintext')
    .addHelpText('after', EXAMPLES)
    .action((flags: WatchFlags) => watch(flags, terminal));
}

async function watch(flags: WatchFlags, terminal: Terminal): Promise<void> {
  const config = readConfig(flags, terminal);
  const stopped = untilStopped();
  const observation = startObservation(
    {
      receiver: config.receiver,
      is_daemon: true,
      result: 'watch',
      record_path: flags.record,
      createIntake: (context) =>
        createPipeline({
          ...context,
          config,
          exporters: createExporters(config.exporters, { ...context, terminal }),
        }),
    },
    terminal,
  );
  terminal.err('undersight: watching; Ctrl-C ends it\n');
  await stopped;
  try {
    await observation.end();
  } finally {
    await observation.close();
  }
}
