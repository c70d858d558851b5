import { Command } from 'commander';
import { addDoctor } from './doctor.ts';
import { addRecord } from './record.ts';
import { addReplay } from './replay.ts';
import { addRun } from './run.ts';
import { addTargets } from './targets.ts';
import type { Terminal } from './terminal.ts';
import { addTraces } from './traces.ts';
import { addValidate } from './validate.ts';
import { addVersion, readVersion } from './version.ts';
import { addWatch } from './watch.ts';

/** Columns of help on what is no terminal, or a very wide one. */
const HELP_WIDTH = 120;

/** One command: adds itself to the program. Throws (SetupError, UsageError) for what goes wrong; sets process.exitCode. */
type AddCommand = (program: Command, terminal: Terminal) => void;

/** In the order in which --help shows them. */
const COMMANDS: readonly AddCommand[] = [
  addRun,
  addWatch,
  addRecord,
  addReplay,
  addTraces,
  addTargets,
  addValidate,
  addDoctor,
  addVersion,
];

const EXAMPLES = `
Examples:
  sudo undersight run -- claude -p "fix the failing test"   watch one agent, print its trace
  sudo undersight watch                                     watch every agent of this machine
  sudo undersight traces ls                                 what was seen
  sudo undersight traces show latest --content              one trace, with prompts and answers
  sudo undersight doctor                                    what works here, and how to mend the rest

Environment:
  UNDERSIGHT_STORE               file of the trace store
  UNDERSIGHT_CACHE               directory for what was learned about TLS libraries (/var/cache/undersight)
  OTEL_EXPORTER_OTLP_ENDPOINT    also send traces there
  NO_COLOR, UNDERSIGHT_DEBUG     no colours; stack traces
`;

export function createProgram(terminal: Terminal): Command {
  const program = new Command('undersight')
    .description('Watches AI agents from the kernel and speaks OpenTelemetry.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'explain a command')
    .helpOption('-h, --help', 'explain this command')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      getOutHelpWidth: () => Math.min(terminal.width, HELP_WIDTH),
      outputError: (message, write) => write(message.replace(/^error: /, 'undersight: ')),
    })
    .addHelpText('after', EXAMPLES);
  for (const addCommand of COMMANDS) addCommand(program, terminal);
  nameHelp(program);
  return program;
}

/** After a usage error, each command says where its help is. */
function nameHelp(command: Command, path = command.name()): void {
  command.showHelpAfterError(`  See '${path} --help'.`);
  for (const child of command.commands) nameHelp(child, `${path} ${child.name()}`);
}
