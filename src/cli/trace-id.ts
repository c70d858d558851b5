import type { StoredTraces } from '../export/store/stored-traces.ts';
import { SetupError } from '../model/setup-error.ts';
import { UsageError } from './report-error.ts';

const SHOWN = 5;

/** The one trace whose id begins with `prefix`, or the newest for `latest`. Throws where there is none, or more than one. */
export function resolveTrace(stored: StoredTraces | undefined, path: string, prefix: string): string {
  const latest = prefix === 'latest';
  if (!latest && !/^[0-9a-f]{1,32}$/i.test(prefix)) {
    throw new UsageError(`${JSON.stringify(prefix)} is no trace id`, 'Give the first hex digits of one, or latest.');
  }
  const found = latest
    ? stored?.listTraces({}, 1).map(({ trace_id }) => trace_id)
    : stored?.findTraces(prefix, SHOWN + 1);
  const [trace_id, ...others] = found ?? [];
  if (trace_id === undefined) {
    const what = latest ? `there is no trace in ${path}` : `no trace in ${path} begins with ${prefix}`;
    throw new SetupError(what, 'undersight traces ls shows what there is.');
  }
  if (others.length === 0) return trace_id;
  const shown = (found ?? []).slice(0, SHOWN).map((id) => id.slice(0, prefix.length + 8));
  const more = others.length >= SHOWN ? ', ...' : '';
  throw new SetupError(`several traces begin with ${prefix}: ${shown.join(', ')}${more}`, 'Give more digits.');
}
