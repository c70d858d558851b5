import type { Counters } from '../health/counters.ts';
import type { Event } from '../model/event.ts';
import { createGlobMatcher } from '../model/glob.ts';
import type { Stage } from '../stage.ts';

const MAX_EXCLUDED_FILES = 65_536;

/**
 * Leaves out what happens to files whose path matches one of `globs`; counted as `exclude.file_event`. Whoever reads such
 * a file still shows as a process.
 */
export function createExcludePaths(globs: readonly string[], next: Stage<Event>, counters: Counters): Stage<Event> {
  if (globs.length === 0) return next;
  /** Openings of such files, whose traffic comes under their id alone; the oldest is forgotten first. */
  const excluded = new Set<bigint>();
  const matchesGlob = createGlobMatcher(globs);
  const matches = (file: string | undefined): boolean => file !== undefined && matchesGlob(file);

  const isExcluded = (event: Event): boolean => {
    switch (event.kind) {
      case 'file_open':
        if (!matches(event.path)) return false;
        if (event.errno === 0) remember(event.file_id);
        return true;
      case 'file_io':
        if (event.closed) return excluded.delete(event.file_id);
        return excluded.has(event.file_id);
      case 'file_change':
        return matches(event.path) || matches(event.new_path);
      default:
        return false;
    }
  };
  const remember = (file_id: bigint): void => {
    if (excluded.size >= MAX_EXCLUDED_FILES) excluded.delete(excluded.values().next().value as bigint);
    excluded.add(file_id);
  };

  return {
    push(event) {
      if (isExcluded(event)) counters.counted('exclude.file_event');
      else next.push(event);
    },
    tick: (now_ns) => next.tick?.(now_ns),
    close: () => next.close?.(),
  };
}
