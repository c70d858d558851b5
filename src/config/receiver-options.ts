import { z } from 'zod';
import { pathGlobSchema } from '../model/glob.ts';
import { byteSizeSchema, durationSchema } from '../model/quantity.ts';
import { agentRuleSchema } from '../targets/recognise-agent.ts';

/** Two pages of a ring are the least that the kernel takes; a ring of more than 1 GiB cannot be mapped twice in one call. */
const ringBytesSchema = byteSizeSchema.refine(
  (bytes) => bytes >= 8192 && bytes <= 2 ** 30 && Number.isInteger(Math.log2(bytes)),
  'expected a power of two between 8KiB and 1GiB',
);

/** `receivers: undersight:` of the configuration. */
export const receiverOptionsSchema = z.strictObject({
  /** Size of the ring buffer between the kernel and us. */
  ring_bytes: ringBytesSchema.prefault('64MiB'),
  /** How far out of order two events may arrive. */
  reorder_window: durationSchema.prefault('50ms'),
  /** Read HTTP that is not encrypted: local models, MCP servers. Of watched processes alone. */
  plain_http: z.boolean().default(true),
  /** Read JSON-RPC in pipes: MCP servers on standard input and output. */
  mcp_stdio: z.boolean().default(true),
  /** Who is watched by `watch`. */
  targets: z
    .strictObject({
      /** Known agents, by their executables. */
      catalogue: z.boolean().default(true),
      /** Any process that is seen talking to an LLM API. */
      traffic: z.boolean().default(true),
      /** The user's own agents; the first rule that fits names the agent. */
      rules: z.array(agentRuleSchema).max(1000).default([]),
      /** Files that list where the TLS functions of certain builds are. */
      known_builds: z.array(z.string().min(1, 'expected a file name')).max(100).default([]),
    })
    .prefault({}),
  /** What is never looked at. */
  exclude: z
    .strictObject({
      /** Names on this machine, or numeric ids: `watch` leaves their processes alone. */
      users: z
        .array(z.union([z.string().min(1), z.number().int().nonnegative()], 'expected a user name or id'))
        .max(1000)
        .default([]),
      /** Globs: what happens to files there is left out. */
      paths: z.array(pathGlobSchema).default([]),
    })
    .prefault({}),
});

export type ReceiverOptions = z.infer<typeof receiverOptionsSchema>;
