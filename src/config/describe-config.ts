import { stringify } from 'yaml';
import { formatDuration } from '../model/quantity.ts';
import { type Config, PROCESSORS } from './components.ts';

/** A configuration in the shape that files have, every default filled in; the values of headers are hidden. */
export function describeConfig(config: Config): unknown {
  return plain({
    receivers: { undersight: config.receiver },
    processors: {
      exchange: config.exchange,
      redact: config.redact,
      correlate: config.correlate,
      spans: config.spans,
    },
    exporters: Object.fromEntries(config.exporters.map(({ id, options }) => [id, options])),
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
export function configToYaml(config: Config): string {
  return stringify(describeConfig(config));
}

/** Every bigint in a configuration is a duration in ns. */
function plain(value: unknown, key = ''): unknown {
  if (typeof value === 'bigint') return formatDuration(value);
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([name, item]) => [name, key === 'headers' ? '[hidden]' : plain(item, name)]));
}
