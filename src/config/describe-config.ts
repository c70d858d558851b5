import { stringify } from 'yaml';
import { grpcUrl, httpUrl, shownUrl } from '../export/otlp/endpoint.ts';
import { defaultStorePath } from '../export/store/store-path.ts';
import { formatDuration } from '../model/quantity.ts';
import { type Config, type ExporterConfig, PROCESSORS } from './components.ts';

/**
 * A configuration in the shape that files have, every default filled in, those of `env` too; the values of headers are
 * hidden. Throws SetupError for an endpoint that is none.
 */
export function describeConfig(config: Config, env: NodeJS.ProcessEnv): unknown {
  return plain({
    receivers: { undersight: config.receiver },
    processors: {
      exchange: config.exchange,
      redact: config.redact,
      correlate: config.correlate,
      spans: config.spans,
    },
    exporters: Object.fromEntries(config.exporters.map((exporter) => [exporter.id, describeExporter(exporter, env)])),
    service: {
      pipelines: {
        traces: {
          receivers: ['undersight'],
          processors: Object.keys(PROCESSORS),
          exporters: config.exporters.map(({ id }) => id),
        },
      },
    },
  });
}

/** `describeConfig` as YAML, which `--config` reads back. */
export function configToYaml(config: Config, env: NodeJS.ProcessEnv): string {
  return stringify(describeConfig(config, env));
}

function describeExporter({ type, options }: ExporterConfig, env: NodeJS.ProcessEnv): unknown {
  switch (type) {
    case 'console':
      return options;
    case 'store':
      return { ...options, path: options.path ?? defaultStorePath(env) };
    case 'otlp_grpc':
      return { ...options, endpoint: shownUrl({ url: grpcUrl(options, env) }) };
    case 'otlp_http':
      return { ...options, endpoint: undefined, traces_endpoint: shownUrl({ url: httpUrl(options, env) }) };
  }
}

/** Every bigint in a configuration is a duration in ns. */
function plain(value: unknown, key = ''): unknown {
  if (typeof value === 'bigint') return formatDuration(value);
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, key === 'headers' ? '[hidden]' : plain(item, name)]));
}
