import { EXIT_USAGE } from './exit-code.ts';
import { reportError } from './report-error.ts';
import { processTerminal } from './terminal.ts';

const terminal = processTerminal();
try {
  // Loaded here, so that a broken installation is told like any other error.
  const { createProgram } = await import('./program.ts');
  const program = createProgram(terminal);
  if (process.argv.length > 2) await program.parseAsync();
  else {
    program.outputHelp({ error: true });
    process.exitCode = EXIT_USAGE;
  }
} catch (error) {
  process.exitCode = reportError(error, terminal);
}
