import type { ExporterConfig } from './config/components.ts';
import { createConsoleExporter } from './export/console/console-exporter.ts';
import { createOtlpExporter } from './export/otlp/otlp-exporter.ts';
import { createStore } from './export/store/store.ts';
import { defaultStorePath } from './export/store/store-path.ts';
import type { Counters } from './health/counters.ts';
import type { Span } from './model/span.ts';
import type { Stage } from './stage.ts';

export interface ExporterSurroundings {
  readonly counters: Counters;
  readonly warn: (message: string) => void;
  readonly terminal: {
    readonly env: NodeJS.ProcessEnv;
    readonly color: boolean;
    readonly width: number;
    out(text: string): void;
  };
}

/** The exporters that a configuration names. Throws SetupError for one that cannot start. */
export function createExporters(configs: readonly ExporterConfig[], around: ExporterSurroundings): Stage<Span>[] {
  return configs.map((config) => createExporter(config, around));
}

function createExporter(config: ExporterConfig, { counters, warn, terminal }: ExporterSurroundings): Stage<Span> {
  switch (config.type) {
    case 'console':
      return createConsoleExporter(config.options, { terminal, counters, env: terminal.env });
    case 'store': {
      const path = config.options.path ?? defaultStorePath(terminal.env);
      return createStore({ ...config.options, path, counters, warn });
    }
    case 'otlp_grpc':
    case 'otlp_http':
      return createOtlpExporter(config, { counters, warn, env: terminal.env });
  }
}
