import type { Command } from 'commander';
import { addTargetsInspect } from './targets-inspect.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  undersight targets inspect "$(command -v claude)"
`;

export function addTargets(program: Command, terminal: Terminal): void {
  const targets = program
    .command('targets')
    .description('say where the TLS of a program would be read')
    .addHelpText('after', EXAMPLES);
  addTargetsInspect(targets, terminal);
}
