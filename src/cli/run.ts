import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Config } from '../config/components.ts';
import { defaultStorePath } from '../export/store/store-path.ts';
import { createExporters } from '../exporters.ts';
import { SetupError } from '../model/setup-error.ts';
import type { Span } from '../model/span.ts';
import { createPipeline } from '../pipeline.ts';
import { addConfigOptions, type ConfigFlags, readConfig, storePath } from './config-options.ts';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND } from './exit-code.ts';
import type { LivingTree } from './living-tree.ts';
import { startObservation } from './observation.ts';
import { type Output, openFile, standardError, standardOutput } from './output.ts';
import { reportError } from './report-error.ts';
import { holdStopSignals } from './stop-signal.ts';
import type { Terminal } from './terminal.ts';
import { collectInto, formatSpans, lookOf, TRACE_FORMATS, type TraceFlags, withoutConsole } from './trace-format.ts';
import { type ResolvedAgent, resolveAgent, runWatched } from './watched-command.ts';

interface RunFlags extends ConfigFlags, TraceFlags {
  readonly record?: string;
  readonly wait?: boolean;
}

const WAIT_INTERVAL_MS = 100;

const EXAMPLES = `
The command keeps its open files, environment, signals and exit code. Not passed on are variables that no shell can have or
that it sets itself (A.B, IFS, OPTIND, PPID), and that a signal was ignored (nohup). A tree goes to standard error, the
other formats to standard output, unless --output names a file.

Examples:
  sudo undersight run -- claude -p "fix the failing test"
  sudo undersight run --format otlp-json --output trace.json -- python agent.py
  sudo undersight run --record agent.rec -- node agent.mjs
  sudo undersight run --set receivers.undersight.plain_http=false -- ./agent    HTTP without TLS is left alone
  sudo undersight run --wait -- ./start-agents-in-background.sh
`;

export function addRun(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('run'))
    .description('run a command under watch and show its trace')
    .argument('<command...>', 'what to run, after --')
    .addOption(new Option('-f, --format <format>', 'how').choices(TRACE_FORMATS).default('tree'))
    .option('-o, --output <file>', 'where the trace goes, readable by you alone')
    .option('--record <file>', 'also save the raw records, for `undersight replay`; they hold plaintext')
    .option('--content', 'with prompts, answers and arguments')
    .option('--wait', 'until all that the command started has ended, or Ctrl-C')
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], flags: RunFlags) => {
      process.exitCode = await run(words, flags, terminal);
    });
}

async function run(words: readonly string[], flags: RunFlags, terminal: Terminal): Promise<number> {
  const config = readConfig(flags, terminal);
  const agent = findAgent(words, config, terminal);
  if (typeof agent === 'number') return agent;
  const output = openOutput(flags, terminal);
  const look = lookOf(flags, output, terminal, flags.format === 'tree' ? terminal.err_width : terminal.width);
  const spans: Span[] = [];
  const observation = startObservation(
    {
      receiver: config.receiver,
      is_daemon: false,
      result: 'trace',
      record_path: flags.record,
      createIntake: (context) =>
        createPipeline({
          ...context,
          config,
          exporters: [
            collectInto(spans, look.content, context.counters),
            ...createExporters(withoutConsole(config), { ...context, terminal }),
          ],
        }),
    },
    terminal,
  );
  try {
    const status = await runWatched(agent, observation.live);
    if (flags.wait) await untilEnded(observation.running);
    await observation.end();
    tellOutliving(observation.running.describe());
    return writeTrace(status, formatSpans(spans, flags.format, look));
  } finally {
    await observation.close();
  }

  function tellOutliving(processes: string | undefined): void {
    if (processes === undefined) return;
    const what = `undersight: ${processes} outlived the command: what they do from now on is not in the trace`;
    terminal.err(`${what}\n  To have it, give --wait, or use undersight watch.\n`);
  }

  function writeTrace(status: number, text: string): number {
    try {
      output.write(text, whereElse(spans, config, terminal));
      return status;
    } catch (error) {
      const failure = reportError(error, terminal);
      return status || failure;
    }
  }
}

/** Until nothing runs any more, or a signal asks us to stop. */
async function untilEnded(running: LivingTree): Promise<void> {
  let is_stopped = false;
  const release = holdStopSignals(() => {
    is_stopped = true;
  });
  while (!is_stopped && running.isAlive()) await sleep(WAIT_INTERVAL_MS);
  release();
}

/** What to do about a trace that could not be written. */
function whereElse(spans: readonly Span[], config: Config, { env }: Terminal): string {
  const [span] = spans;
  if (span === undefined || !config.exporters.some(({ type }) => type === 'store')) return 'Make room there.';
  const path = storePath(config, env);
  const words = ['undersight traces show', span.trace_id, ...(path === defaultStorePath(env) ? [] : ['--store', path])];
  return `The trace is in the store: ${words.join(' ')}`;
}

/** The command, or the exit status a shell gives where there is none. */
function findAgent(words: readonly string[], config: Config, terminal: Terminal): ResolvedAgent | number {
  try {
    return resolveAgent(words, terminal.env, config.receiver.targets.rules);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    reportError(error, terminal);
    return fs.existsSync(words[0] ?? '') ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
  }
}

/** What people read goes beside the command's own output, what programs read into it. */
function openOutput({ output, format }: RunFlags, terminal: Terminal): Output {
  if (output !== undefined) return openFile(output);
  return format === 'tree' ? standardError(terminal) : standardOutput(terminal);
}
