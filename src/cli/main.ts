import { EXIT_USAGE } from './exit-code.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
const program = createProgram(terminal);
try {
  if (process.argv.length > 2) await program.parseAsync();
  else {
    program.outputHelp({ error: true });
    process.exitCode = EXIT_USAGE;
  }
} catch (error) {
  process.exitCode = reportError(error, terminal);
}
