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
  /** Results: standard output. */
  out(text: string): void;
  /** Everything else: standard error. */
  err(text: string): void;
}

/** Of a terminal that does not say. */
const PLAIN_WIDTH = 120;

/** The process's own streams. A reader that goes away (EPIPE) is no error: what follows is not written. */
export function processTerminal(): Terminal {
  return {
    env: process.env,
    color: useColor(process.stdout.isTTY, process.env),
    err_color: useColor(process.stderr.isTTY, process.env),
    width: widthOf(process.stdout),
    err_width: widthOf(process.stderr),
    out: writer(process.stdout),
    err: writer(process.stderr),
  };
}

function widthOf({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY ? columns || PLAIN_WIDTH : Number.POSITIVE_INFINITY;
}

/** https://no-color.org: any non-empty value; a dumb terminal has none either. */
function useColor(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTty && !env.NO_COLOR && env.TERM !== 'dumb';
}

function writer(stream: NodeJS.WriteStream): (text: string) => void {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    open = false;
  });
  return (text) => {
    if (open) stream.write(text);
  };
}
