import { suggest } from './did-you-mean.ts';
import type { Problem } from './problem.ts';

const PROTOCOL_EXPORTERS: Readonly<Record<string, string>> = {
  grpc: 'otlp_grpc',
  'http/protobuf': 'otlp_http',
  'http/json': 'otlp_http',
};

/**
 * Exporters of a pipeline that names none: a tree on the console, the store, and OTLP where the environment says so
 * (OpenTelemetry specification, "OTLP exporter": OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT and _PROTOCOL, and
 * OTEL_TRACES_EXPORTER=none).
 */
export function defaultExporters(env: NodeJS.ProcessEnv, problems: Problem[]): string[] {
  const exporters = ['console', 'store'];
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint || env.OTEL_TRACES_EXPORTER === 'none') return exporters;
  const variable = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL
    ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
    : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const protocol = env[variable] || 'http/protobuf';
  const exporter = PROTOCOL_EXPORTERS[protocol];
  if (exporter !== undefined) return [...exporters, exporter];
  problems.push({
    at: { file: 'environment', line: 0, column: 0 },
    path: variable,
    message: `unknown protocol ${JSON.stringify(protocol)}${suggest(protocol, Object.keys(PROTOCOL_EXPORTERS))}`,
  });
  return exporters;
}
