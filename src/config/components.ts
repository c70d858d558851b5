import type { z } from 'zod';
import { type CorrelateOptions, correlateOptionsSchema } from '../correlate/options.ts';
import { type ExchangeOptions, exchangeOptionsSchema } from '../exchange/options.ts';
import { consoleOptionsSchema } from '../export/console/options.ts';
import { otlpGrpcOptionsSchema, otlpHttpOptionsSchema } from '../export/otlp/options.ts';
import { storeOptionsSchema } from '../export/store/options.ts';
import { type RedactOptions, redactOptionsSchema } from '../redact/redact-options.ts';
import { type SpansOptions, spansOptionsSchema } from '../spans/options.ts';
import { type ReceiverOptions, receiverOptionsSchema } from './receiver-options.ts';

/** Every kind of component that a configuration may name, with the schema of its options. */
export const RECEIVERS = { undersight: receiverOptionsSchema } as const;

/** In the order in which they run. They always run: what a configuration leaves out has its default options. */
export const PROCESSORS = {
  exchange: exchangeOptionsSchema,
  redact: redactOptionsSchema,
  correlate: correlateOptionsSchema,
  spans: spansOptionsSchema,
} as const;

export const EXPORTERS = {
  otlp_grpc: otlpGrpcOptionsSchema,
  otlp_http: otlpHttpOptionsSchema,
  console: consoleOptionsSchema,
  store: storeOptionsSchema,
} as const;

/** `otlp_grpc/jaeger` is of type `otlp_grpc`. */
export function typeOf(id: string): string {
  return id.split('/', 1)[0] ?? id;
}

/** One exporter of the pipeline; `id` is `type` or `type/name`. */
export type ExporterConfig = {
  [Type in keyof typeof EXPORTERS]: {
    readonly id: string;
    readonly type: Type;
    readonly options: z.output<(typeof EXPORTERS)[Type]>;
  };
}[keyof typeof EXPORTERS];

/** One validated configuration: the options of each stage. */
export interface Config {
  readonly receiver: ReceiverOptions;
  readonly exchange: ExchangeOptions;
  readonly redact: RedactOptions;
  readonly correlate: CorrelateOptions;
  readonly spans: SpansOptions;
  /** In the order the pipeline names them. */
  readonly exporters: readonly ExporterConfig[];
  /** What is not wrong but probably not meant, e.g. an exporter that no pipeline names. */
  readonly warnings: readonly string[];
}
