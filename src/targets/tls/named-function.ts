import type { Reference } from './code-scan.ts';
import type { FunctionBounds, FunctionTable } from './function-table.ts';

/** A function, and which of the wanted strings it refers to. */
export interface NamedFunction extends FunctionBounds {
  readonly strings: ReadonlySet<string>;
}

/** The functions around these references, by address. `strings` says what lies where the references lead. */
export function groupByFunction(
  references: readonly Reference[],
  table: FunctionTable,
  strings: ReadonlyMap<number, string>,
): Map<number, NamedFunction> {
  const named = new Map<number, FunctionBounds & { strings: Set<string> }>();
  for (const { at, target } of references) {
    const bounds = table.containing(at);
    const string = strings.get(target);
    if (bounds === undefined || string === undefined) continue;
    const known = named.get(bounds.start) ?? { ...bounds, strings: new Set<string>() };
    known.strings.add(string);
    named.set(bounds.start, known);
  }
  return named;
}

/**
 * The one function that refers to exactly these strings, if there is one. Others may use some of them: a binding for another
 * language has the same names, but not the source file.
 */
export function onlyNamed(named: Map<number, NamedFunction>, wanted: readonly string[]): NamedFunction | undefined {
  const found = [...named.values()].filter(
    ({ strings }) => strings.size === wanted.length && wanted.every((string) => strings.has(string)),
  );
  return found.length === 1 ? found[0] : undefined;
}
