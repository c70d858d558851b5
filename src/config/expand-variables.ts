/** What `${...}` refers to, and what to take when it is not set. */
const REFERENCE = /\$\$|\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const WHOLE = /^\$\{(?:env:)?[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}$/;

export interface Expansion {
  readonly text: string;
  /** The value is nothing but one reference: what it stands for may be a number or a list. */
  readonly whole: boolean;
  /** Variables that are not set and have no default. */
  readonly missing: readonly string[];
}

/**
 * `${env:X}`, `${X}` and `${env:X:-default}` as in the Collector's configuration; `$$` is a dollar sign. What a variable
 * holds is not expanded again. undefined when there is nothing to expand.
 */
export function expandVariables(text: string, env: NodeJS.ProcessEnv): Expansion | undefined {
  if (!text.includes('$')) return undefined;
  const missing: string[] = [];
  const expanded = text.replace(REFERENCE, (reference, name?: string, fallback?: string) => {
    if (name === undefined) return '$';
    const value = env[name];
    // As in a shell: `:-` also replaces a variable that is set to nothing.
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) missing.push(reference);
    return value ?? '';
  });
  return { text: expanded, whole: WHOLE.test(text), missing };
}
