import type { Command } from 'commander';
import { createDecode } from '../kernel/decode.ts';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import { EXIT_OK } from './exit-code.ts';
import { startObservation } from './observation.ts';
import { untilStopped } from './stop-signal.ts';
import type { Terminal } from './terminal.ts';
import { resolveAgent, runWatched } from './watched-command.ts';

const EXAMPLES = `
The recording holds plaintext, secrets included; only you can read it.

Examples:
  sudo undersight record agent.rec -- claude -p "fix the failing test"
  sudo undersight record agents.rec      every agent of this machine, until Ctrl-C
  undersight replay agent.rec
`;

export function addRecord(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('record'))
    .description('save what the kernel tells, to make traces of it later')
    .argument('<file>', 'the recording')
    .argument('[command...]', 'what to run and record, after --; without it, all agents')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, words: string[], flags: ConfigFlags) => {
      process.exitCode = await record(file, words, flags, terminal);
    });
}

async function record(file: string, words: readonly string[], flags: ConfigFlags, terminal: Terminal): Promise<number> {
  const { receiver } = readConfig(flags, terminal);
  const agent = words.length > 0 ? resolveAgent(words, terminal.env, receiver.targets.rules) : undefined;
  const stopped = agent === undefined ? untilStopped() : undefined;
  const observation = startObservation(
    {
      receiver,
      is_daemon: agent === undefined,
      result: 'recording',
      record_path: file,
      createIntake: ({ counters, onEvent }) => createDecode({ counters }, { push: onEvent }),
    },
    terminal,
  );
  if (agent === undefined) terminal.err(`undersight: recording to ${file}; Ctrl-C ends it\n`);
  try {
    const status = agent === undefined ? await stopped : await runWatched(agent, observation.live);
    await observation.end();
    return status ?? EXIT_OK;
  } finally {
    await observation.close();
  }
}
