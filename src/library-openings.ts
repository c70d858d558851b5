import fs from 'node:fs';
import { BoundedMap } from './model/bounded-map.ts';
import type { Event } from './model/event.ts';
import { mayHoldTls } from './targets/locate-tls.ts';
import { throughRoot } from './targets/tls-files.ts';

const MAX_INSTALLING = 1024;
const WRITES = fs.constants.O_WRONLY | fs.constants.O_RDWR;

/** Which files that may hold TLS functions watched processes open, or install. */
export interface LibraryOpenings {
  /** The file to look into because of this event, as its process named it. */
  fileOf(event: Event): string | undefined;
}

export function createLibraryOpenings(): LibraryOpenings {
  /** Those that are open to write, by `file_id`: looked into when they are whole, before anybody can load them. */
  const installing = new BoundedMap<bigint, string>(MAX_INSTALLING);
  return {
    fileOf(event) {
      switch (event.kind) {
        case 'file_open':
          if (event.errno !== 0 || !mayHoldTls(event.path)) return undefined;
          if ((event.flags & WRITES) === 0) return event.path;
          installing.set(event.file_id, event.path);
          return undefined;
        case 'file_io': {
          if (!event.closed) return undefined;
          const installed = installing.get(event.file_id);
          installing.delete(event.file_id);
          return installed;
        }
        case 'file_change':
          return event.errno === 0 && event.new_path !== undefined && mayHoldTls(event.new_path)
            ? event.new_path
            : undefined;
        default:
          return undefined;
      }
    },
  };
}

/** The path by which we can open a file that a process named. The process may be gone, and its root with it: ours is likely the same. */
export function ourPathOf(pid: number, file: string): string {
  const through = throughRoot(pid, file);
  return fs.existsSync(through) ? through : file;
}
