import { BoundedMap } from './model/bounded-map.ts';
import type { UnreadTrafficEvent } from './model/event.ts';
import { fileKeyOf } from './targets/locate-tls.ts';
import { unreadTlsReason } from './targets/unread-tls-reason.ts';

const MAX_PROGRAMS = 4096;
/** In all: what runs under ever new names must not fill a log. */
const MAX_NOTICES = 64;

interface Program {
  readonly executable: string;
  readonly file_key: string | undefined;
}

/** Says once for each program that its TLS is a closed book, and why; later than it is told, as that may take a while. */
export interface UnreadNotices {
  /** A process runs this program: it may be gone when its connection shows to be unreadable. */
  runs(pid: number, executable: string): void;
  unread(event: UnreadTrafficEvent): void;
}

export function createUnreadNotices(
  warn: (message: string) => void,
  defer: (action: () => void) => void = setImmediate,
): UnreadNotices {
  const programs = new BoundedMap<number, Program>(MAX_PROGRAMS);
  const told = new Set<string>();
  return {
    runs: (pid, executable) => programs.set(pid, { executable, file_key: fileKeyOf(`/proc/${pid}/exe`) }),
    unread({ protocol, pid, process }) {
      const program = programs.get(pid);
      if (protocol !== 'tls' || program === undefined) return;
      const { executable, file_key } = program;
      if (told.has(executable) || told.size >= MAX_NOTICES) return;
      told.add(executable);
      defer(() => {
        const reason =
          unreadTlsReason(pid, { process, file_key }) ??
          'it was not made by the TLS library that the process has, or before that was found';
        warn(
          `TLS of ${executable} (pid ${pid}) is not read, or not all: ${reason}. If it calls a model, those calls are missing`,
        );
      });
    },
  };
}
