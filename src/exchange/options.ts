import { z } from 'zod';
import { byteSizeSchema } from '../model/quantity.ts';

/** What a user may configure of the exchange stage. */
export const exchangeOptionsSchema = z.strictObject({
  /** Of one request, response or message, before and after decompression. A larger one is not read, and marked. */
  max_body_bytes: byteSizeSchema.default(64 * 2 ** 20),
  /** Of all bodies that are being collected. */
  max_buffered_bytes: byteSizeSchema.default(512 * 2 ** 20),
  /** TLS connections that are followed; the one that was silent longest is given up. */
  max_connections: z.int().positive().default(4096),
  /** Requests that are open at once on a connection of HTTP/2; the oldest is given up, and marked. */
  max_streams: z.int().positive().default(4096),
});

export type ExchangeOptions = z.output<typeof exchangeOptionsSchema>;
