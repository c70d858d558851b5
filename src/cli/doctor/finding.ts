/** One line of `doctor`. */
export interface Finding {
  readonly name: string;
  /** `fallback`: works, but less well; `missing`: what needs it does not work. */
  readonly status: 'ok' | 'fallback' | 'missing';
  /** Watching is impossible while it is missing. */
  readonly essential: boolean;
  readonly detail: string;
  /** What to do; '' when nothing is to be done. */
  readonly fix: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, status: 'ok', essential: false, detail, fix: '' };
}

export function fallback(name: string, detail: string, fix: string): Finding {
  return { name, status: 'fallback', essential: false, detail, fix };
}

export function missing(name: string, detail: string, fix: string, essential = false): Finding {
  return { name, status: 'missing', essential, detail, fix };
}
