import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import os from 'node:os';
import { SetupError } from './model/setup-error.ts';

/** A command that has its process, but runs none of its own instructions before `release()`. */
export interface HeldCommand {
  readonly pid: number;
  release(): void;
  kill(signal: NodeJS.Signals): void;
  /** Exit status as a shell gives it: 128 + n after signal n. */
  readonly exited: Promise<number>;
}

/** The descriptors above 2 that the launcher was started with. */
const DESCRIPTORS_VARIABLE = 'UNDERSIGHT_DESCRIPTORS';
/** What shells set on their own. */
const SHELL_VARIABLES = ['PWD', 'OLDPWD', 'SHLVL', '_'] as const;
/** A shell's redirections know no numbers above. */
const HIGHEST_HOLD_FD = 9;

/**
 * Starts `executable` with `args`, held. Its stdin, stdout, stderr and environment are ours, and so are the descriptors that
 * we were started with. Throws when no process can be made.
 */
export async function launchHeld(executable: string, args: readonly string[]): Promise<HeldCommand> {
  const { [DESCRIPTORS_VARIABLE]: descriptors = '', ...env } = process.env;
  const inherited = descriptors.split(' ').filter(Boolean).map(Number);
  const hold_fd = freeDescriptor(inherited);
  const stdio: ('inherit' | 'ignore' | 'pipe' | number)[] = ['inherit', 'inherit', 'inherit'];
  for (let fd = stdio.length; fd <= Math.max(hold_fd, ...inherited); fd++) stdio.push('ignore');
  for (const fd of inherited) stdio[fd] = fd;
  stdio[hold_fd] = 'pipe';
  const child: ChildProcess = spawn('/bin/sh', ['-c', holdScript(hold_fd, env), executable, ...args], { stdio, env });
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const hold = child.stdio[hold_fd] as Socket;
  // The command may be gone before it reads.
  hold.on('error', () => {});
  return {
    pid: child.pid as number,
    release: () => void hold.end('\n'),
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** Waits for a line, then becomes the command: same pid, same terminal, same descriptors, same environment. */
function holdScript(hold_fd: number, env: NodeJS.ProcessEnv): string {
  const restored = SHELL_VARIABLES.map((name) => {
    const value = env[name];
    return value === undefined ? `unset ${name}` : `export ${name}='${value.replaceAll("'", "'\\''")}'`;
  });
  return [`read -r _ <&${hold_fd}`, `exec ${hold_fd}<&-`, ...restored, 'exec "$0" "$@"'].join('\n');
}

function freeDescriptor(taken: readonly number[]): number {
  for (let fd = 3; fd <= HIGHEST_HOLD_FD; fd++) if (!taken.includes(fd)) return fd;
  throw new SetupError(
    `All descriptors from 3 to ${HIGHEST_HOLD_FD} are in use: none is left to hold the command with`,
    'Close one of them.',
  );
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : os.constants.signals[signal];
}
