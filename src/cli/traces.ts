import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';
import { addTracesLs } from './traces-ls.ts';
import { addTracesRm } from './traces-rm.ts';
import { addTracesShow } from './traces-show.ts';

const EXAMPLES = `
Examples:
  undersight traces ls --since 1d
  undersight traces show latest
  undersight traces rm --older-than 7d
`;

export function addTraces(program: Command, terminal: Terminal): void {
  const traces = program
    .command('traces')
    .description('list, show and remove stored traces')
    .addHelpText('after', EXAMPLES);
  addTracesLs(traces, terminal);
  addTracesShow(traces, terminal);
  addTracesRm(traces, terminal);
}
