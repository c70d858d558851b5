import type {
  EventBase,
  ProcessExecEvent,
  ProcessExitEvent,
  ProcessFactsEvent,
  ProcessForkEvent,
  ProcessKey,
  TargetEvent,
} from '../model/event.ts';
import { runsLater } from './argument-match.ts';
import type { Caller } from './caller.ts';
import type { FileFold, OpenFile } from './file-fold.ts';
import type { NetworkFold, Socket } from './network-fold.ts';
import { inheritOpen, isToBeReplaced } from './process-image.ts';
import type { ProcessSegment } from './process-segment.ts';
import type { Scope } from './scope.ts';

/**
 * A process, from its fork (or from when it was first heard of) to its exit, and what it has done that is not told yet.
 * One that has done something and then executes another program is two of these, the second below the first.
 */
export interface Process {
  /** The key, and from its second program on the number of that. */
  readonly id: string;
  readonly key: ProcessKey;
  readonly pid: number;
  /** The id of what started it. */
  parent: string | undefined;
  parent_pid: number;
  namespace_pid: number;
  uid: number;
  cgroup_id: bigint;
  comm: string;
  executable_path: string;
  working_directory: string;
  args: readonly string[];
  /** When it executed something first. */
  exec_ns: bigint | undefined;
  /** It has started others since it executed something. */
  has_forked: boolean;
  /** When it was forked, executed or first seen. */
  start_ns: bigint;
  exit: ProcessExitEvent | undefined;
  /** What the same process is since it executed another program, and how many it was before. */
  successor: Process | undefined;
  replaced_count: number;
  facts: ProcessFactsEvent | undefined;
  /** It was recognised as an agent. */
  target: TargetEvent | undefined;
  scope: Scope | undefined;
  /** The watched root, a caller, or between the two: what it does is the agent's own doing. */
  is_agent: boolean;
  caller: Caller | undefined;
  segment: ProcessSegment | undefined;
  /** The id of the activity that an ended turn left open. */
  continues: string | undefined;
  readonly blind_spots: Set<string>;
  readonly files: Map<string, FileFold>;
  readonly open_files: Map<bigint, OpenFile>;
  readonly sockets: Map<bigint, Socket>;
  readonly connections: Map<string, NetworkFold>;
  /** Everything was told; what still comes of it is too late. */
  is_finished: boolean;
}

/** The processes that matter, by key. Holds at most `max_processes`: finished ones go first. */
export class ProcessTree {
  readonly #processes = new Map<string, Process>();
  /** What processes are that were something else before. */
  readonly #images = new Map<ProcessKey, Process>();
  readonly #finished = new Set<Process>();
  readonly #max_processes: number;
  readonly #onEvict: (process: Process) => void;

  constructor(max_processes: number, onEvict: (process: Process) => void) {
    this.#max_processes = max_processes;
    this.#onEvict = onEvict;
  }

  /** What the process of an event is now. */
  get(key: ProcessKey): Process | undefined {
    return this.#images.get(key) ?? this.#processes.get(key);
  }

  parentOf({ parent }: Process): Process | undefined {
    return parent === undefined ? undefined : this.#processes.get(parent);
  }

  values(): MapIterator<Process> {
    return this.#processes.values();
  }

  /** It has been told of: the first to go where there are too many. */
  finished(process: Process): void {
    process.is_finished = true;
    this.#finished.add(process);
  }

  delete(process: Process): void {
    this.#processes.delete(process.id);
    this.#finished.delete(process);
    if (this.#images.get(process.key) === process) this.#images.delete(process.key);
  }

  fork(event: ProcessForkEvent): Process {
    const parent = this.get(event.parent);
    const process = this.seen(event);
    process.parent = parent?.id ?? event.parent;
    process.parent_pid = event.parent_pid;
    process.comm = event.comm;
    process.scope = this.scopeOf(process);
    if (parent !== undefined) parent.has_forked = true;
    if (parent === undefined || process.exec_ns !== undefined) return process;
    process.namespace_pid = event.pid;
    process.uid = parent.uid;
    process.cgroup_id = parent.cgroup_id;
    process.executable_path = parent.executable_path;
    process.working_directory = parent.working_directory;
    process.args = parent.args;
    return process;
  }

  exec(event: ProcessExecEvent): Process {
    let process = this.seen(event);
    const { parent, parent_pid, namespace_pid, uid, cgroup_id, comm, executable_path, working_directory, args } = event;
    // A parent that exited has left its children to another one, which did not start them.
    if (process.parent === undefined) Object.assign(process, { parent, parent_pid });
    Object.assign(process, { namespace_pid, uid, cgroup_id, working_directory });
    if (isToBeReplaced(process)) process = this.#replace(process, event);
    // A shell that becomes the last command of its script is still what ran the others.
    const is_last_command = process.exec_ns !== undefined && process.has_forked && runsLater(process.args, args);
    if (!is_last_command) Object.assign(process, { comm, executable_path, args, has_forked: false });
    process.exec_ns ??= event.ktime_ns;
    process.scope = this.scopeOf(process);
    return process;
  }

  /** The process an event is of; made up from the event where nothing is known of it. */
  seen(event: EventBase): Process {
    return this.get(event.process) ?? this.#create(event.process, event);
  }

  /** The program before it has ended, though its process goes on. */
  #replace(before: Process, event: ProcessExecEvent): Process {
    const replaced_count = before.replaced_count + 1;
    const process = this.#create(`${before.key}/${replaced_count + 1}`, event);
    const { parent_pid, namespace_pid, scope, facts } = before;
    Object.assign(process, { parent: before.id, parent_pid, namespace_pid, scope, facts, replaced_count });
    inheritOpen(before, process);
    const { process: key, pid, tid, ktime_ns } = event;
    before.exit = { process: key, pid, tid, ktime_ns, kind: 'process_exit', exit_code: 0, signal: 0 };
    before.successor = process;
    this.#images.set(key, process);
    return process;
  }

  #create(id: string, event: EventBase): Process {
    const process: Process = {
      id,
      key: event.process,
      pid: event.pid,
      parent: undefined,
      parent_pid: 0,
      namespace_pid: event.pid,
      uid: 0,
      cgroup_id: 0n,
      comm: '',
      executable_path: '',
      working_directory: '',
      args: [],
      exec_ns: undefined,
      has_forked: false,
      start_ns: event.ktime_ns,
      exit: undefined,
      successor: undefined,
      replaced_count: 0,
      facts: undefined,
      target: undefined,
      scope: undefined,
      is_agent: false,
      caller: undefined,
      segment: undefined,
      continues: undefined,
      blind_spots: new Set(),
      files: new Map(),
      open_files: new Map(),
      sockets: new Map(),
      connections: new Map(),
      is_finished: false,
    };
    this.#processes.set(id, process);
    if (this.#processes.size > this.#max_processes) this.#evict(process);
    return process;
  }

  /** The watched tree a process is in; undefined for what nobody watches. */
  scopeOf(process: Process): Scope | undefined {
    const below: Process[] = [];
    for (let at: Process | undefined = process; at !== undefined; at = this.parentOf(at)) {
      if (at.scope !== undefined) {
        for (const one of below) one.scope = at.scope;
        return at.scope;
      }
      if (below.push(at) > 1024) break;
    }
    return undefined;
  }

  /** Something of the tree still runs. */
  isAlive(scope: Scope): boolean {
    return this.#processes.values().some((process) => process.scope === scope && process.exit === undefined);
  }

  *ancestors(process: Process): Generator<Process> {
    let at = this.parentOf(process);
    for (let depth = 0; at !== undefined && depth < 1024; depth++) {
      yield at;
      at = this.parentOf(at);
    }
  }

  #evict(newest: Process): void {
    const [finished] = this.#finished;
    const victim = finished ?? this.#processes.values().find((one) => one !== newest && one.scope?.root !== one);
    if (victim === undefined) return;
    this.#onEvict(victim);
    this.delete(victim);
  }
}
