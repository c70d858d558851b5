import { EXIT_FAILURE } from './exit-code.ts';

/** Where a command reads its surroundings and writes its words. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** Of standard output. */
  readonly color: boolean;
  /** Of standard error. */
  readonly err_color: boolean;
  /** Columns; Infinity where it is no terminal. */
  readonly width: number;
  readonly err_width: number;
  /** Results: standard output. `fix`: what to do when they cannot be written. */
  out(text: string, fix?: string): void;
  /** Everything else: standard error. */
  err(text: string): void;
}

/** Of a terminal that does not say. */
const PLAIN_WIDTH = 120;

/**
 * The process's own streams. A reader that goes away (EPIPE) is no error: what follows is not written. Any other failure is
 * told once, where it still can be, and makes an exit code of 0 a 1.
 */
export function processTerminal(): Terminal {
  const err = writer(process.stderr, () => {});
  return {
    env: process.env,
    color: useColor(process.stdout.isTTY, process.env),
    err_color: useColor(process.stderr.isTTY, process.env),
    width: widthOf(process.stdout),
    err_width: widthOf(process.stderr),
    out: writer(process.stdout, (reason, fix) =>
      err(`undersight: Cannot write standard output: ${reason}\n  ${fix}\n`),
    ),
    err,
  };
}

function widthOf({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY ? columns || PLAIN_WIDTH : Number.POSITIVE_INFINITY;
}

/** https://no-color.org: any non-empty value; a dumb terminal has none either. */
function useColor(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTty && !env.NO_COLOR && env.TERM !== 'dumb';
}

const DEFAULT_FIX = 'Make room there, or send it elsewhere.';

function writer(stream: NodeJS.WriteStream, tell: (reason: string, fix: string) => void): Terminal['out'] {
  let open = true;
  let fix = DEFAULT_FIX;
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (!open) return;
    open = false;
    if (code === 'EPIPE') return;
    process.once('exit', () => {
      process.exitCode ||= EXIT_FAILURE;
    });
    tell(message, fix);
  });
  return (text, textFix = DEFAULT_FIX) => {
    fix = textFix;
    if (open) stream.write(text);
  };
}
