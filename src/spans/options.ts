import { z } from 'zod';

/** `processors: spans:` of the configuration. */
export const spansOptionsSchema = z.strictObject({
  /** `nested`: tool calls hang under the LLM call that asked for them. `siblings`: beside it, with a link to it. */
  topology: z.enum(['nested', 'siblings']).default('nested'),
  /** `parent`: a remote parent that says "not sampled" is honoured: such spans are stored, not sent. `all`: it is not. */
  sampling: z.enum(['parent', 'all']).default('parent'),
  /** `deployment.environment.name` of every resource that has none. */
  deployment_environment: z.string().min(1, 'expected a name').optional(),
  /** Longer texts are cut, except content. */
  max_attribute_chars: z.int().min(64).default(4096),
  /** Longer lists are cut, except content. */
  max_attribute_items: z.int().min(1).default(128),
});

export type SpansOptions = z.output<typeof spansOptionsSchema>;
