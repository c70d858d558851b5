/** The program cannot start, or its configuration is wrong: the only thing that is thrown on purpose. */
export class SetupError extends Error {
  /** What the user can do about it, one sentence. */
  readonly fix: string;

  constructor(what: string, fix: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'SetupError';
    this.fix = fix;
  }
}
