import type { Command } from 'commander';
import type { Config } from '../config/components.ts';
import { loadConfig } from '../config/load-config.ts';
import { defaultStorePath } from '../export/store/store-path.ts';
import type { Terminal } from './terminal.ts';

export interface ConfigFlags {
  readonly config: readonly string[];
  readonly set: readonly string[];
}

/** `--config FILE` and `--set KEY=VALUE`, each as often as one likes. */
export function addConfigOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return command
    .option('-c, --config <file>', 'configuration; repeated: later files win, key by key', collect, [])
    .option('--set <key=value>', 'one setting, e.g. exporters.store.max_age=7d; wins over files', collect, []);
}

/** The configuration that the flags name. Throws ConfigError. */
export function readConfig(flags: ConfigFlags, terminal: Terminal): Config {
  return loadConfig({ files: flags.config, sets: flags.set, env: terminal.env });
}

/** The file of the configuration's first store, else the default one. */
export function storePath(config: Config, env: NodeJS.ProcessEnv): string {
  const store = config.exporters.find((exporter) => exporter.type === 'store');
  return store?.options.path ?? defaultStorePath(env);
}
