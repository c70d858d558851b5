import type { Counters } from './health/counters.ts';
import type { Probes } from './kernel/loader.ts';
import type { TlsDataEvent } from './model/event.ts';
import type { TlsFunction, TlsLibrary } from './model/tls-library.ts';
import { confirmTls, isConfirmedTls, locateTls, refuseTls } from './targets/locate-tls.ts';
import { isInferred } from './targets/tls/tls-families.ts';
import { createUseCheck, type UseCheck } from './targets/tls/use-check.ts';

/**
 * Puts TLS probes on files; what fails is counted (`live.attach_failed`) and told once per cause. A file that is gone by
 * now is no failure: nobody calls it through this path any more. Where functions were inferred, what their first calls move has
 * to look like a protocol: else the probes are removed, that is counted (`live.tls_refused`), told, and remembered for a day.
 * What was confirmed once is no longer looked at, also by the next that runs: nobody can make it look wrong.
 */
export interface TlsAttacher {
  attach(files: Iterable<string>): void;
  /** To be told of all data. */
  see(event: TlsDataEvent): void;
}

export interface AttacherOptions {
  readonly probes: Pick<Probes, 'attachTls' | 'detachTls'>;
  readonly counters: Counters;
  readonly warn: (message: string) => void;
  readonly locate?: (file: string) => TlsLibrary | undefined;
  /** Remembers a file as one that is not to be probed again. */
  readonly refuse?: (library: TlsLibrary, reason: string) => void;
  /** Remembers that these of its functions are what they were taken for. */
  readonly confirm?: (library: TlsLibrary, functions: readonly TlsFunction[]) => void;
  readonly isConfirmed?: (library: TlsLibrary, functions: readonly TlsFunction[]) => boolean;
}

/** One file may hold two libraries, of which rustls alone tells each direction by an object of its own: one must not vouch for the other. */
interface Checked {
  readonly library: TlsLibrary;
  /** Undefined once it is confirmed. */
  whole: UseCheck | undefined;
  half: UseCheck | undefined;
}

type Kind = 'whole' | 'half';

const functionsOf = ({ functions }: TlsLibrary, kind: Kind): readonly TlsFunction[] =>
  functions.filter(({ name }) => name.startsWith('rustls_') === (kind === 'half'));

/** Files are no longer checked than the kernel side keeps them. */
const MAX_CHECKED = 1024;

export function createTlsAttacher(options: AttacherOptions): TlsAttacher {
  const { probes, counters, warn, locate = locateTls, refuse = refuseTls } = options;
  const { confirm = confirmTls, isConfirmed = isConfirmedTls } = options;
  const checkOf = (library: TlsLibrary, kind: Kind) =>
    isConfirmed(library, functionsOf(library, kind)) ? undefined : createUseCheck();
  const told = new Set<string>();
  const checked = new Map<number, Checked>();
  let numbers = 0;
  return {
    attach(files) {
      for (const file of files) {
        const library = locate(file);
        if (library === undefined) continue;
        const number = numbers + 1;
        const result = probes.attachTls(library, number);
        if (result === 'attached_for_another') counters.lost('live.library_evicted');
        if (result === 'attached' || result === 'attached_for_another') {
          numbers = number;
          if (library.families.some(isInferred))
            checked.set(number, { library, whole: checkOf(library, 'whole'), half: checkOf(library, 'half') });
          if (checked.size > MAX_CHECKED) checked.delete(checked.keys().next().value as number);
        }
        if (typeof result === 'string') continue;
        counters.lost('live.attach_failed');
        if (told.has(result.failed)) continue;
        told.add(result.failed);
        warn(`TLS calls of ${file} cannot be read (${result.failed}): LLM calls made through it will be missing`);
      }
    },
    see(event) {
      const entry = checked.get(event.library ?? 0);
      if (entry === undefined) return;
      const { library } = entry;
      const kind = event.half ? 'half' : 'whole';
      const state = entry[kind]?.see(event) ?? 'open';
      if (state === 'settled') {
        entry[kind] = undefined;
        confirm(library, functionsOf(library, kind));
      }
      if (typeof state === 'string') return;
      checked.delete(event.library ?? 0);
      probes.detachTls(library);
      refuse(library, state.refused);
      counters.lost('live.tls_refused');
      warn(
        `${library.path}: its TLS functions (${library.families.join(', ')}) are not what they were taken for: ${state.refused}. ` +
          'They are no longer probed, LLM calls made through them will be missing',
      );
    },
  };
}
