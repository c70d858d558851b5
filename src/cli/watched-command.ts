import fs from 'node:fs';
import { type HeldCommand, launchHeld } from '../launch.ts';
import type { AgentIdentity, Live } from '../live.ts';
import { readAgentVersion } from '../targets/agent-version.ts';
import type { AgentRule } from '../targets/recognise-agent.ts';
import { nameOf, recogniseAgent } from '../targets/recognise-agent.ts';
import { resolveCommand } from '../targets/resolve-command.ts';

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGINT'] as const;

export interface ResolvedAgent extends AgentIdentity {
  readonly executable_path: string;
  readonly args: readonly string[];
  readonly tls_files: readonly string[];
}

/** Finds what `words` will run and who that is. Throws SetupError when there is no such command. */
export function resolveAgent(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  rules: readonly AgentRule[],
): ResolvedAgent {
  const [command = '', ...args] = words;
  const place = { path_variable: env.PATH ?? '', working_directory: process.cwd() };
  const { executable_path, tls_files } = resolveCommand(command, place, args);
  const invocation = { executable_path: fs.realpathSync(executable_path), args: [executable_path, ...args] };
  const known = recogniseAgent({ ...invocation, executable_path }, rules) ?? recogniseAgent(invocation, rules);
  return {
    executable_path,
    args,
    tls_files,
    name: known?.name ?? nameOf({ ...invocation, executable_path }),
    version: readAgentVersion(process.pid, invocation, place.working_directory),
  };
}

/** Runs the agent under watch from its first instruction, hands signals through, gives its exit status. */
export async function runWatched(agent: ResolvedAgent, live: Live): Promise<number> {
  const command = await launchHeld(agent.executable_path, agent.args);
  const stop = forwardSignals(command);
  try {
    live.attachTls(agent.tls_files);
    live.watchTree(command.pid, { reason: 'launched', agent });
    command.release();
    return await command.exited;
  } finally {
    stop();
  }
}

function forwardSignals(command: HeldCommand): () => void {
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      // A terminal sends it to the whole foreground group: the command has it already.
      const isFromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
      if (!isFromTerminal) command.kill(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
