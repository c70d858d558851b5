import { z } from 'zod';
import { byteSizeSchema, durationSchema } from '../../model/quantity.ts';

/** `exporters: store:` of the configuration. */
export const storeOptionsSchema = z.strictObject({
  /** undefined: `defaultStorePath`. */
  path: z.string().min(1, 'expected a file name').optional(),
  /** Traces that ended longer ago are removed. */
  max_age: durationSchema.prefault('30d'),
  /** The oldest traces are removed while the database is larger. */
  max_bytes: byteSizeSchema.prefault('2GiB'),
});
