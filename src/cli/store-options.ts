import type { Command } from 'commander';
import { openStoredTraces, type StoredTraces } from '../export/store/stored-traces.ts';
import { addConfigOptions, type ConfigFlags, readConfig, storePath } from './config-options.ts';
import type { Terminal } from './terminal.ts';

export interface StoreFlags extends ConfigFlags {
  readonly store?: string;
}

/** `--store FILE`, and the options that name a configuration, whose store it is otherwise. */
export function addStoreOptions(command: Command): Command {
  return addConfigOptions(command.option('--store <file>', 'the store (default: that of the configuration)'));
}

/** Opens the store for `use` and closes it. `use` gets undefined where there is no store yet. */
export function withStore<T>(
  flags: StoreFlags,
  terminal: Terminal,
  use: (traces: StoredTraces | undefined, path: string) => T,
): T {
  const path = flags.store ?? storePath(readConfig(flags, terminal), terminal.env);
  const traces = openStoredTraces(path);
  try {
    return use(traces, path);
  } finally {
    traces?.close();
  }
}
