import { z } from 'zod';
import { byteSizeSchema, durationSchema } from '../../model/quantity.ts';

const MIN_AGE_NS = 60_000_000_000n;
/** An empty store and one short trace. */
const MIN_BYTES = 1 << 20;

/** `exporters: store:` of the configuration. */
export const storeOptionsSchema = z.strictObject({
  /** undefined: `defaultStorePath`. */
  path: z.string().min(1, 'expected a file name').optional(),
  /** Traces that ended longer ago are removed. */
  max_age: durationSchema.refine((age_ns) => age_ns >= MIN_AGE_NS, 'expected 1m or more').prefault('30d'),
  /** The oldest traces are removed while the database is larger. */
  max_bytes: byteSizeSchema.refine((bytes) => bytes >= MIN_BYTES, 'expected 1MiB or more').prefault('2GiB'),
});
