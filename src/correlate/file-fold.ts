import type { ActivityBase, FileActivity, FileClass, FileOperation } from '../model/activity.ts';
import { errnoName } from '../model/errno-name.ts';
import type { FileChangeEvent, FileIoEvent, FileOpenEvent } from '../model/event.ts';
import type { Place } from './placement.ts';
import type { Process } from './process-tree.ts';
import type { Turn } from './turn.ts';

/** All that one process did with one path in one place of the trace. */
export interface FileFold {
  readonly id: string;
  turn: Turn;
  readonly path: string;
  class: FileClass;
  /** undefined: under the process's own activity. */
  readonly place: Place | undefined;
  readonly continues: string | undefined;
  new_path: string | undefined;
  operation: FileOperation;
  start_ns: bigint;
  end_ns: bigint;
  bytes_read: bigint;
  bytes_written: bigint;
  count: number;
  /** Of these. */
  failed_count: number;
  /** Descriptors that are open still. */
  open_count: number;
  has_succeeded: boolean;
  /** Only a descriptor that was open before we watched, and never used. */
  is_unused: boolean;
  last_errno: number;
  state: 'growing' | 'told' | 'left_out';
  readonly lost_before: number;
}

/** One descriptor's opening, for the traffic that comes of it. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly is_inherited: boolean;
  fold: FileFold | undefined;
  is_noise: boolean;
}

/** From the weakest. What a fold did is the strongest of it. */
const STRENGTH: readonly FileOperation[] = ['open', 'execute', 'read', 'write', 'rename', 'delete', 'create'];
const CHANGES: Readonly<Record<FileChangeEvent['operation'], FileOperation>> = {
  unlink: 'delete',
  rmdir: 'delete',
  rename: 'rename',
  mkdir: 'create',
  truncate: 'write',
  link: 'create',
  symlink: 'create',
};
/** asm-generic/fcntl.h, the same on x86-64 and arm64. */
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;

export function createFileFold(
  origin: Pick<FileFold, 'id' | 'turn' | 'path' | 'class' | 'place' | 'continues' | 'start_ns' | 'lost_before'>,
): FileFold {
  return {
    ...origin,
    new_path: undefined,
    operation: 'open',
    end_ns: origin.start_ns,
    bytes_read: 0n,
    bytes_written: 0n,
    count: 0,
    failed_count: 0,
    open_count: 0,
    has_succeeded: false,
    is_unused: true,
    last_errno: 0,
    state: 'growing',
  };
}

export function addOpening(fold: FileFold, event: FileOpenEvent): void {
  const { flags, created } = event;
  fold.count++;
  touch(fold, event.ktime_ns, event.errno);
  if (event.origin === 'open') fold.is_unused = false;
  if (event.errno !== 0) return;
  const is_new = created ?? (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL);
  if (event.origin === 'open' && is_new) strengthen(fold, 'create');
  else if (event.origin === 'open' && (flags & O_TRUNC) !== 0) strengthen(fold, 'write');
}

export function addTraffic(fold: FileFold, event: FileIoEvent): void {
  fold.bytes_read += event.bytes_read;
  fold.bytes_written += event.bytes_written;
  const is_used = event.read_count + event.write_count > 0 || event.bytes_read + event.bytes_written > 0n;
  if (event.bytes_read > 0n || event.read_count > 0) strengthen(fold, 'read');
  if (event.bytes_written > 0n) strengthen(fold, 'write');
  if (!is_used) return;
  if (fold.is_unused && event.first_ns > fold.start_ns) fold.start_ns = event.first_ns;
  fold.is_unused = false;
  touch(fold, event.last_ns, 0);
}

/** `new_path`: what a rename makes of it. */
export function addChange(fold: FileFold, event: FileChangeEvent, new_path: string | undefined): void {
  fold.count++;
  fold.is_unused = false;
  touch(fold, event.ktime_ns, event.errno);
  const operation = CHANGES[event.operation];
  if (event.errno === 0 || !fold.has_succeeded) fold.new_path ??= new_path;
  strengthen(fold, event.errno === 0 ? operation : 'open');
}

/** The more it interests, the higher: secrets, then places outside the workspace, then what changes something. */
export function interestOf(fold: FileFold): number {
  const where = { secret: 8, home: 4, system: 4, other: 4, device: 4, temp: 2, workspace: 2 }[fold.class];
  return where + (STRENGTH.indexOf(fold.operation) > STRENGTH.indexOf('read') ? 1 : 0);
}

/** What is particular to the activity of a fold. */
export function describeFile(process: Process, fold: FileFold, place: Place): Omit<FileActivity, keyof ActivityBase> {
  return {
    kind: 'file',
    process: process.key,
    pid: process.pid,
    operation: fold.operation,
    class: fold.class,
    path: fold.path,
    new_path: fold.new_path,
    bytes_read: fold.bytes_read,
    bytes_written: fold.bytes_written,
    // What is made once may be tried often.
    count: fold.has_succeeded ? fold.count - fold.failed_count : fold.count,
    error_type: fold.has_succeeded || fold.last_errno === 0 ? undefined : errnoName(fold.last_errno),
    correlation: place.correlation,
  };
}

function touch(fold: FileFold, at_ns: bigint, errno: number): void {
  if (at_ns > fold.end_ns) fold.end_ns = at_ns;
  if (errno === 0) {
    fold.has_succeeded = true;
    return;
  }
  fold.last_errno = errno;
  fold.failed_count++;
}

function strengthen(fold: FileFold, operation: FileOperation): void {
  if (STRENGTH.indexOf(operation) > STRENGTH.indexOf(fold.operation)) fold.operation = operation;
}
