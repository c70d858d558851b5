import { CommanderError } from 'commander';
import { ConfigError } from '../config/problem.ts';
import { SetupError } from '../model/setup-error.ts';
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** The arguments do not say what to do. */
export class UsageError extends SetupError {}

/** Tells an error as `undersight: what` and what to do, and gives the exit code. Stack traces only with UNDERSIGHT_DEBUG. */
export function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  const message = error instanceof Error ? error.message : String(error);
  const fix = error instanceof SetupError ? error.fix : 'UNDERSIGHT_DEBUG=1 shows where this comes from.';
  terminal.err(`undersight: ${message}\n  ${fix}\n`);
  if (terminal.env.UNDERSIGHT_DEBUG && error instanceof Error) terminal.err(`${error.stack}\n`);
  return error instanceof ConfigError || error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
}
