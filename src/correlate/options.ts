import { z } from 'zod';
import { pathGlobSchema } from '../model/glob.ts';
import { durationSchema } from '../model/quantity.ts';

/** What a user may configure of the correlation stage. */
export const correlateOptionsSchema = z.strictObject({
  /** A turn ends this long after its last answer, when no tool call is open. */
  turn_timeout: durationSchema.prefault('30s'),
  /** How long a tool call counts as running where the protocol does not tell when it ended. */
  tool_window: durationSchema.prefault('500ms'),
  /** A tool call that nobody ever answers is given up after this long, once nothing runs for it any more. */
  tool_timeout: durationSchema.prefault('1h'),
  /** Directories that are the agents' workspace, beside the one that each was started in. */
  workspace: z.array(z.string().startsWith('/', 'expected an absolute path').max(4096)).max(100).default([]),
  /** File activities of one process; more are counted only. */
  max_files_per_process: z.int().nonnegative().default(200),
  /** File activities of one turn; more are counted only. */
  max_files_per_turn: z.int().nonnegative().default(2000),
  /** Globs of paths that are noise beside the built-in ones. */
  noise: z.array(pathGlobSchema).max(200).default([]),
});

export type CorrelateOptions = z.output<typeof correlateOptionsSchema>;
