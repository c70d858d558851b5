import { grpcUrl, httpUrl } from '../export/otlp/endpoint.ts';
import { SetupError } from '../model/setup-error.ts';
import type { ExporterConfig } from './components.ts';
import type { Problem } from './problem.ts';

/** Refuses what the environment names as endpoint and is none; what the configuration names was checked with its options. */
export function checkEndpoints(
  exporters: readonly ExporterConfig[],
  env: NodeJS.ProcessEnv,
  problems: Problem[],
): void {
  for (const { type, options } of exporters) {
    try {
      if (type === 'otlp_grpc') grpcUrl(options, env);
      if (type === 'otlp_http') httpUrl(options, env);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      const variable = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim()
        ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
        : 'OTEL_EXPORTER_OTLP_ENDPOINT';
      const at = { file: 'environment', line: 0, column: 0 };
      problems.push({ at, path: variable, message: `${error.message}. ${error.fix}` });
    }
  }
}
