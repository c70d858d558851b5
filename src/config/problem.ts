import { SetupError } from '../model/setup-error.ts';

/** Where a value was written. `line` and `column` count from 1; 0 for what came from `--set` or the environment. */
export interface Location {
  /** A file's name as the user gave it, or the `--set` option. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with the configuration. */
export interface Problem {
  readonly at: Location;
  /** `exporters.store.max_age`; '' for the whole. */
  readonly path: string;
  /** What is wrong, and what is allowed. */
  readonly message: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends SetupError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      `the configuration has ${count}\n${problems.map((problem) => `  ${formatProblem(problem)}`).join('\n')}`,
      'Correct these; `undersight validate` checks again.',
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** `file:line:column: path: message` */
export function formatProblem({ at, path, message }: Problem): string {
  const place = at.line > 0 ? `${at.file}:${at.line}:${at.column}` : at.file;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
