import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import os from 'node:os';

/** A command that has its process, but runs none of its own instructions before `release()`. */
export interface HeldCommand {
  readonly pid: number;
  release(): void;
  kill(signal: NodeJS.Signals): void;
  /** Exit status as a shell gives it: 128 + n after signal n. */
  readonly exited: Promise<number>;
}

const HOLD_FD = 3;
/** Waits for a byte, then becomes the command: same pid, same terminal, same descriptors. */
const HOLD_SCRIPT = `read -r _ <&${HOLD_FD}; exec ${HOLD_FD}<&-; exec "$0" "$@"`;

/** Starts `executable` with `args`, held. Its stdin, stdout and stderr are ours. Throws when no process can be made. */
export async function launchHeld(executable: string, args: readonly string[]): Promise<HeldCommand> {
  const child: ChildProcess = spawn('/bin/sh', ['-c', HOLD_SCRIPT, executable, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const hold = child.stdio[HOLD_FD] as Socket;
  // The command may be gone before it reads.
  hold.on('error', () => {});
  return {
    pid: child.pid as number,
    release: () => void hold.end('\n'),
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : os.constants.signals[signal];
}
