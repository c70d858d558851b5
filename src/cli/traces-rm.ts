import type { Command } from 'commander';
import { EXIT_FAILURE } from './exit-code.ts';
import { nowUnixNs, parseMoment } from './moment.ts';
import { UsageError } from './report-error.ts';
import { addStoreOptions, type StoreFlags, withStore } from './store-options.ts';
import type { Terminal } from './terminal.ts';
import { resolveTrace } from './trace-id.ts';

interface RmFlags extends StoreFlags {
  readonly all?: boolean;
  readonly olderThan?: string;
  readonly agent?: string;
}

const EXAMPLES = `
Examples:
  undersight traces rm 4bf92f3577b3 latest
  undersight traces rm --older-than 7d
  undersight traces rm --agent claude-code
  undersight traces rm --all

What is removed is overwritten in the file, with all messages that no other trace holds.
`;

export function addTracesRm(traces: Command, terminal: Terminal): void {
  addStoreOptions(traces.command('rm'))
    .description('remove stored traces')
    .argument('[id...]', 'beginnings of trace ids, or latest')
    .option('--older-than <time>', 'those that ended before: 7d, 2026-01-31')
    .option('--agent <name>', 'those of this agent')
    .option('--all', 'every one')
    .addHelpText('after', EXAMPLES)
    .action((prefixes: readonly string[], flags: RmFlags) => {
      const filtered = flags.olderThan !== undefined || flags.agent !== undefined;
      if ([prefixes.length > 0, filtered, flags.all === true].filter(Boolean).length !== 1) {
        throw new UsageError('which traces?', 'Give ids, or --older-than and/or --agent, or --all.');
      }
      const before_unix_ns =
        flags.olderThan === undefined ? undefined : parseMoment(flags.olderThan, '--older-than', nowUnixNs());
      withStore(flags, terminal, (stored, path) => {
        const ids =
          prefixes.length > 0
            ? prefixes.map((prefix) => resolveTrace(stored, path, prefix))
            : (stored?.selectTraces({ agent: flags.agent, before_unix_ns }) ?? []);
        const removed = stored?.removeTraces(ids) ?? 0;
        terminal.out(`removed ${removed} ${removed === 1 ? 'trace' : 'traces'}\n`);
        if (prefixes.length > 0 && removed < new Set(ids).size) process.exitCode = EXIT_FAILURE;
      });
    });
}
