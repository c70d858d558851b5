import { z } from 'zod';
import { durationSchema } from '../../model/quantity.ts';

const file = z.string().min(1, 'expected a file name').optional();

const url = z.url({ protocol: /^https?$/, error: 'expected a URL such as http://127.0.0.1:4318' });
const address = z.string().refine(isAddress, 'expected an address such as 127.0.0.1:4317 or http://127.0.0.1:4317');

const shared = {
  /** On top of OTEL_EXPORTER_OTLP_HEADERS. */
  headers: z.record(z.string(), z.string()).default({}),
  /** undefined: OTEL_EXPORTER_OTLP_COMPRESSION, or none. */
  compression: z.enum(['gzip', 'none']).optional(),
  /** Of one attempt. undefined: OTEL_EXPORTER_OTLP_TIMEOUT, or 10s. */
  timeout: durationSchema.optional(),
  /** Files: undefined is what OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY name. */
  tls: z
    .strictObject({
      /** No TLS, for an endpoint without a scheme. */
      insecure: z.boolean().default(false),
      /** TLS with whatever certificate the server has. */
      insecure_skip_verify: z.boolean().default(false),
      ca_file: file,
      cert_file: file,
      key_file: file,
    })
    .prefault({}),
  sending_queue: z
    .strictObject({
      /** Spans that may wait; more are dropped, and counted. */
      queue_size: z.int().positive().default(10_000),
    })
    .prefault({}),
  retry_on_failure: z
    .strictObject({
      enabled: z.boolean().default(true),
      initial_interval: durationSchema.prefault('1s'),
      max_interval: durationSchema.prefault('30s'),
      /** After that long a batch is given up; 0 is never. */
      max_elapsed_time: durationSchema.prefault('5m'),
    })
    .prefault({}),
  /** Sends prompts, answers and arguments too. undefined: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, or not. */
  include_content: z.boolean().optional(),
  /** At the end, how long to go on sending what waits. */
  close_timeout: durationSchema.prefault('5s'),
};

/** `exporters: otlp_grpc:` of the configuration. */
export const otlpGrpcOptionsSchema = z.strictObject({
  /** undefined: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4317. */
  endpoint: address.optional(),
  ...shared,
});

/** `exporters: otlp_http:` of the configuration. */
export const otlpHttpOptionsSchema = z.strictObject({
  /** `/v1/traces` is added. undefined: the same variables, or http://localhost:4318. */
  endpoint: url.optional(),
  /** The whole URL, in place of `endpoint`. */
  traces_endpoint: url.optional(),
  ...shared,
});

export type OtlpGrpcOptions = z.output<typeof otlpGrpcOptionsSchema>;
export type OtlpHttpOptions = z.output<typeof otlpHttpOptionsSchema>;

/** `host:port`, or a URL of http or https. */
export function isAddress(text: string): boolean {
  if (!text.includes('://')) return URL.canParse(`http://${text}`);
  return /^https?:/.test(text) && URL.canParse(text);
}
