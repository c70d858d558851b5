import fs from 'node:fs';
import type { Counters } from './health/counters.ts';
import type { TlsUse } from './kernel/attached-libraries.ts';
import type { Probes } from './kernel/loader.ts';
import { BoundedMap } from './model/bounded-map.ts';
import type { TlsDataEvent } from './model/event.ts';
import { versionOf } from './model/file-identity.ts';
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
  /** For somebody watched, by default. */
  attach(files: Iterable<string>, use?: TlsUse): void;
  /** To be called ten times a second: files that changed lose their probes, and get new ones when they stay as they are. */
  check(): void;
  /** To be told of all data. */
  see(event: TlsDataEvent): void;
}

export interface AttacherOptions {
  readonly probes: Pick<Probes, 'attachTls' | 'detachTls' | 'checkTls'>;
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

/** A file whose probes were taken away as it changed, at its last check. */
interface Changed {
  readonly by: TlsUse['by'];
  readonly version: string | undefined;
  /** For how many checks it has been as it is. */
  readonly checks: number;
}

/** A second: who writes a file may rest, and half a file is not worth a look. */
const SETTLED_CHECKS = 10;
/** Files are no longer checked than the kernel side keeps them. */
const MAX_CHECKED = 1024;

export function createTlsAttacher(options: AttacherOptions): TlsAttacher {
  const { probes, counters, warn, locate = locateTls, refuse = refuseTls } = options;
  const { confirm = confirmTls, isConfirmed = isConfirmedTls } = options;
  const checkOf = (library: TlsLibrary, kind: Kind) =>
    isConfirmed(library, functionsOf(library, kind)) ? undefined : createUseCheck();
  const told = new Set<string>();
  const checked = new Map<number, Checked>();
  const changed = new BoundedMap<string, Changed>(MAX_CHECKED);
  let numbers = 0;
  const attacher: TlsAttacher = {
    attach(files, use) {
      for (const file of files) {
        const library = locate(file);
        if (library === undefined) continue;
        const number = numbers + 1;
        const result = probes.attachTls(library, number, use);
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
    check() {
      for (const { path, by } of probes.checkTls()) changed.set(path, { by, version: undefined, checks: 0 });
      for (const [file, before] of [...changed]) {
        const version = versionAt(file);
        const checks = version === before.version ? before.checks + 1 : 0;
        changed.delete(file);
        if (version === undefined) continue;
        if (checks < SETTLED_CHECKS) changed.set(file, { by: before.by, version, checks });
        else attacher.attach([file], { by: before.by });
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
  return attacher;
}

function versionAt(file: string): string | undefined {
  try {
    return versionOf(fs.statSync(file, { bigint: true }));
  } catch {
    return undefined;
  }
}
