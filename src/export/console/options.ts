import { z } from 'zod';

/** `exporters: console:` of the configuration. */
export const consoleOptionsSchema = z.strictObject({
  /** `tree`: each trace when it is whole. `json`: each span when it ends, one a line. */
  format: z.enum(['tree', 'json']).default('tree'),
  /** With prompts, answers and arguments. undefined: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, or without. */
  include_content: z.boolean().optional(),
});

export type ConsoleOptions = z.output<typeof consoleOptionsSchema>;
