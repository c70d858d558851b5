import type { Counters } from './health/counters.ts';
import type { Probes } from './kernel/loader.ts';
import { locateTls } from './targets/locate-tls.ts';

/**
 * Puts TLS probes on files; what fails is counted (`live.attach_failed`) and told once per cause. A file that is gone by
 * now is no failure: nobody calls it through this path any more.
 */
export interface TlsAttacher {
  attach(files: Iterable<string>): void;
}

export function createTlsAttacher(
  probes: Pick<Probes, 'attachTls'>,
  counters: Counters,
  warn: (message: string) => void,
): TlsAttacher {
  const told = new Set<string>();
  return {
    attach(files) {
      for (const file of files) {
        const library = locateTls(file);
        if (library === undefined) continue;
        const result = probes.attachTls(library);
        if (result === 'attached_for_another') counters.lost('live.library_evicted');
        if (typeof result === 'string') continue;
        counters.lost('live.attach_failed');
        if (told.has(result.failed)) continue;
        told.add(result.failed);
        warn(`TLS calls of ${file} cannot be read (${result.failed}): LLM calls made through it will be missing`);
      }
    },
  };
}
