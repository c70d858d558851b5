import type { FileChangeEvent, FileIoEvent, FileOpenEvent } from '../model/event.ts';
import { matchPath } from './argument-match.ts';
import { fileClass, isSecretPath } from './file-class.ts';
import {
  addChange,
  addOpening,
  addTraffic,
  createFileFold,
  describeFile,
  type FileFold,
  interestOf,
  type OpenFile,
} from './file-fold.ts';
import type { McpServing } from './mcp-serving.ts';
import { createNoiseFilter, type NoiseFilter } from './noise.ts';
import { explainingPlace, lineagePlace, type Place, unexplainedEffectPlace } from './placement.ts';
import { placeOf } from './process-segment.ts';
import { ownPlace, type ProcessSegments } from './process-segments.ts';
import type { Process } from './process-tree.ts';
import { placesOf } from './scope.ts';
import { lastPart } from './tool-evidence.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';

const MAX_FOLDS = 200_000;
const MAX_OPEN_FILES = 4096;
/** Interest up to this may use only three quarters of a turn's file activities. */
const LOW_INTEREST = 2;

/** O_WRONLY, O_RDWR, O_CREAT, O_TRUNC (asm-generic/fcntl.h). */
const O_CHANGES = 0o1 | 0o2 | 0o100 | 0o1000;

/** One operation on a path. */
interface Touch {
  readonly path: string;
  /** Of a rename or a link. */
  readonly other_path?: string;
  readonly at_ns: bigint;
  readonly errno: number;
  /** It does more than read. */
  readonly changes: boolean;
  readonly file?: OpenFile;
  readonly continues?: string;
}

/** Folds what processes do with files, and tells of it when they exit or their turn ends. */
export class FileFolds {
  readonly #turns: Turns;
  readonly #segments: ProcessSegments;
  readonly #serving: McpServing;
  readonly #noise: NoiseFilter;
  /** Of all processes. */
  #fold_count = 0;
  #number = 0;

  constructor(turns: Turns, segments: ProcessSegments, serving: McpServing) {
    this.#turns = turns;
    this.#segments = segments;
    this.#serving = serving;
    this.#noise = createNoiseFilter(turns.options.noise);
  }

  opened(process: Process, event: FileOpenEvent): void {
    const { path, file_id, fd, errno, origin } = event;
    const file: OpenFile = { path, fd, is_inherited: origin === 'inherited', fold: undefined, is_noise: false };
    if (file.is_inherited) {
      // A snapshot and the kernel name one descriptor by different ids.
      for (const [id, other] of process.open_files) {
        if (!other.is_inherited || other.fd !== fd || id === file_id) continue;
        process.open_files.delete(id);
        if (other.path !== path) continue;
        process.open_files.set(file_id, other);
        return;
      }
    }
    const changes = (event.flags & O_CHANGES) !== 0 && origin === 'open';
    file.fold = this.#fold(process, { path, at_ns: event.ktime_ns, errno, changes, file });
    if (file.fold !== undefined) addOpening(file.fold, event);
    if (errno !== 0 || file_id === 0n) return;
    if (file.fold !== undefined) file.fold.open_count++;
    process.open_files.set(file_id, file);
    if (process.open_files.size <= MAX_OPEN_FILES) return;
    const oldest = process.open_files.keys().next().value;
    if (oldest !== undefined) process.open_files.delete(oldest);
    this.#turns.counters.lost('correlate.open_files_evicted');
  }

  moved(process: Process, event: FileIoEvent): void {
    const file = process.open_files.get(event.file_id);
    if (file === undefined) {
      this.#turns.counters.lost('correlate.unknown_file');
      return;
    }
    const has_traffic = event.bytes_read + event.bytes_written > 0n || event.read_count + event.write_count > 0;
    if (has_traffic && !file.is_noise && (file.fold === undefined || file.fold.state !== 'growing')) {
      const told = file.fold?.state === 'told' ? file.fold.id : undefined;
      file.fold = this.#fold(process, {
        path: file.path,
        at_ns: event.first_ns,
        errno: 0,
        changes: event.bytes_written > 0n,
        file,
        continues: told,
      });
      if (file.fold !== undefined) {
        file.fold.count++;
        file.fold.open_count++;
      }
    }
    if (file.fold?.state === 'growing') {
      addTraffic(file.fold, event);
      if (event.closed) file.fold.open_count--;
    }
    if (event.closed) process.open_files.delete(event.file_id);
  }

  changed(process: Process, event: FileChangeEvent): void {
    const { operation, new_path, ktime_ns: at_ns, errno } = event;
    // What a link is made of is another file: the link is the one that is made.
    const is_link = operation === 'link' || operation === 'symlink';
    const path = is_link ? (new_path ?? event.path) : event.path;
    const other_path = is_link ? event.path : new_path;
    const fold = this.#fold(process, { path, other_path, at_ns, errno, changes: true });
    if (fold !== undefined) addChange(fold, event, is_link ? undefined : new_path);
  }

  /** Tells what a process did with files in one turn; has to come before the process's own activity. */
  flush(process: Process, turn: Turn, end_ns: bigint): void {
    const folds: FileFold[] = [];
    for (const [key, fold] of process.files) {
      if (fold.turn !== turn) continue;
      process.files.delete(key);
      this.#fold_count--;
      fold.state = 'left_out';
      if (fold.is_unused) this.#countNoise(process, fold.turn);
      else folds.push(fold);
    }
    const { max_files_per_process, max_files_per_turn } = this.#turns.options;
    const whole = outermost(turn);
    folds.sort(
      (a, b) => interestOf(b) - interestOf(a) || (a.start_ns < b.start_ns ? -1 : a.start_ns > b.start_ns ? 1 : 0),
    );
    let told_count = 0;
    for (const fold of folds) {
      const limit = interestOf(fold) > LOW_INTEREST ? max_files_per_turn : Math.ceil(max_files_per_turn * 0.75);
      if (told_count >= max_files_per_process || whole.file_count >= limit) {
        this.#leaveOut(process, turn, fold.place);
        continue;
      }
      told_count++;
      whole.file_count++;
      this.#tell(process, fold, end_ns);
    }
  }

  #tell(process: Process, fold: FileFold, end_ns: bigint): void {
    const place = fold.place ?? ownPlace(process, fold.turn);
    const open = fold.open_count > 0 && process.exit === undefined;
    const { id, turn, start_ns, continues, lost_before } = fold;
    const telling = {
      id,
      parent_id: place.parent_id,
      start_ns,
      end_ns: open ? end_ns : fold.end_ns,
      open,
      continues,
      lost_before,
    };
    this.#turns.tell(turn, telling, describeFile(process, fold, place));
    fold.state = 'told';
  }

  #fold(process: Process, touch: Touch): FileFold | undefined {
    const { path, other_path, at_ns, errno, changes, file, continues } = touch;
    const { scope } = process;
    if (scope === undefined) return undefined;
    const { turn, place } = this.#place(process, path, at_ns, file?.is_inherited === true);
    const is_secret = other_path !== undefined && isSecretPath(other_path);
    const path_class = is_secret ? 'secret' : fileClass(path, placesOf(scope, process, this.#turns.options.workspace));
    if (path_class !== 'secret' && this.#noise.isNoise(path, errno, changes) && !isNamed(process, path, place)) {
      if (file !== undefined) file.is_noise = true;
      this.#countNoise(process, turn);
      return undefined;
    }
    const key = place === undefined ? path : `${path}\0${place.parent_id}`;
    const known = process.files.get(key);
    if (known !== undefined && known.turn === turn) {
      if (is_secret) known.class = 'secret';
      return known;
    }
    const is_precious = path_class === 'secret' || this.#fold_count < MAX_FOLDS;
    if (known !== undefined || !is_precious || this.#fold_count >= 2 * MAX_FOLDS) {
      this.#turns.counters.lost('correlate.files_not_folded');
      this.#leaveOut(process, turn, place);
      return undefined;
    }
    const id = `${process.id}/file/${++this.#number}`;
    const { lost_count: lost_before } = this.#turns;
    const fold = createFileFold({ id, turn, path, class: path_class, place, continues, start_ns: at_ns, lost_before });
    process.files.set(key, fold);
    this.#fold_count++;
    turn.processes.add(process);
    return fold;
  }

  #place(
    process: Process,
    path: string,
    at_ns: bigint,
    is_inherited: boolean,
  ): { readonly turn: Turn; readonly place: Place | undefined } {
    const latest = this.#turns.agentTurn(process, at_ns);
    if (latest === undefined) {
      const segment = this.#segments.of(process, at_ns);
      const served = is_inherited ? undefined : this.#serving.placeOf(process, (evidence) => matchPath(path, evidence));
      if (served !== undefined) return served;
      if (segment === undefined) throw new Error('only a root has no segment, and that is an agent');
      return { turn: segment.turn, place: undefined };
    }
    // What it was started with, like a standard output that leads to a file, is nobody's request.
    if (is_inherited) return { turn: latest, place: lineagePlace(latest.root_id, undefined) };
    for (const turn of this.#turns.agentTurns(process, at_ns)) {
      const { tool_window } = this.#turns.options;
      const place = explainingPlace(turn, at_ns, tool_window, (evidence) => matchPath(path, evidence));
      if (place !== undefined) return { turn, place };
    }
    return { turn: latest, place: unexplainedEffectPlace(latest, at_ns) };
  }

  #countNoise(process: Process, turn: Turn): void {
    if (process.segment !== undefined && !process.is_agent) process.segment.noise_file_count++;
    else turn.noise_file_count++;
  }

  #leaveOut(process: Process, turn: Turn, place: Place | undefined): void {
    if (place === undefined && process.segment !== undefined) process.segment.left_out_count++;
    else turn.left_out_count++;
  }
}

function outermost(turn: Turn): Turn {
  let whole = turn;
  while (whole.outer !== undefined) whole = whole.outer;
  return whole;
}

/** A command line, or the tool call behind it, asks for this very file. */
function isNamed(process: Process, path: string, place: Place | undefined): boolean {
  const name = lastPart(path);
  if (name === '') return false;
  if (place?.window !== undefined) return place.correlation.signals.includes('argument');
  if (place === undefined && process.args.some((arg, i) => i > 0 && arg.endsWith(name) && path.endsWith(arg)))
    return true;
  const { segment } = process;
  const window = segment === undefined ? undefined : placeOf(segment).window;
  return place === undefined && window !== undefined && matchPath(path, window.evidence)?.score === 0.9;
}
