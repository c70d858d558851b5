import type { ReceiverOptions } from './config/receiver-options.ts';
import type { Counters } from './health/counters.ts';
import { now } from './kernel/clock.ts';
import type { Intake } from './kernel/intake.ts';
import { loadProbes, type Probes } from './kernel/loader.ts';
import { createLossReader } from './kernel/losses.ts';
import { createRing } from './kernel/ring.ts';
import { resolveUserIds } from './kernel/user-ids.ts';
import { createLibraryOpenings, ourPathOf } from './library-openings.ts';
import type { Event, EventBase, ProcessExecEvent, TargetEvent, UnreadTrafficEvent } from './model/event.ts';
import { describeSession } from './session.ts';
import { readAgentVersion } from './targets/agent-version.ts';
import { findInstalledAgents } from './targets/installed-agents.ts';
import { snapshotDescriptors } from './targets/process-descriptors.ts';
import { readProcessFacts } from './targets/process-facts.ts';
import { snapshotProcess, treeOf } from './targets/process-snapshots.ts';
import { nameOf, recogniseAgent } from './targets/recognise-agent.ts';
import { loadKnownBuilds } from './targets/tls/known-builds.ts';
import { findBundledLibraries, findProcessFiles, findSystemLibraries, throughRoot } from './targets/tls-files.ts';
import { createTlsAttacher } from './tls-attacher.ts';
import { createUnreadNotices } from './unread-notices.ts';

export interface LiveOptions {
  readonly object_path: string;
  readonly receiver: ReceiverOptions;
  readonly version: string;
  /** Look for agents among all processes, not only at what `watchTree` names. */
  readonly is_daemon: boolean;
  readonly counters: Counters;
  readonly warn: (message: string) => void;
}

/** The kernel programs at work, and what user space does because of what they tell. */
export interface Live {
  /** Kernel programs that this kernel has no hook for. */
  readonly unattached: readonly string[];
  /** To be told every event the intake's decoding gives. */
  onEvent(event: Event): void;
  /** To be told every connection that cannot be read: says so once for each program whose TLS is a closed book. */
  onUnread(event: UnreadTrafficEvent): void;
  /** Gives records, facts and ticks to `intake` from now on. */
  start(intake: Intake): void;
  /** Watches a process and everything below it, from now on. */
  watchTree(pid: number, target: Target): void;
  /** Puts probes on the TLS functions in these files, where there are any. */
  attachTls(files: Iterable<string>): void;
  /** Gives out all that has happened until now. */
  drain(): void;
  /** Ends the watching; waits for the kernel to take its probes away. */
  close(): Promise<void>;
}

export interface Target {
  readonly reason: TargetEvent['reason'];
  /** undefined: who it is shows in its command line. */
  readonly agent?: AgentIdentity;
  /** When it was recognised: what it did after that is watched. Default: now. */
  readonly since_ns?: bigint;
}

export interface AgentIdentity {
  readonly name: string;
  readonly version: string | undefined;
}

const TICK_MS = 100;
/** A tree is walked again while it grew under our eyes. */
const MAX_WALKS = 4;

/** Loads the kernel programs. Throws SetupError where that cannot be. */
export function createLive(options: LiveOptions): Live {
  const { receiver, is_daemon } = options;
  loadKnownBuilds(receiver.targets.known_builds);
  const excluded = resolveUserIds(is_daemon ? receiver.exclude.users : []);
  for (const name of excluded.unknown) options.warn(`exclude.users names ${name}, whom this machine does not know`);
  const probes = loadProbes({
    object_path: options.object_path,
    ring_bytes: receiver.ring_bytes,
    watch_all_execs: is_daemon,
    discover_by_traffic: is_daemon && receiver.targets.traffic,
    plain_http: receiver.plain_http,
    mcp_stdio: receiver.mcp_stdio,
    excluded_uids: excluded.uids,
  });
  return new LiveProbes(probes, options, new Set(excluded.uids));
}

class LiveProbes implements Live {
  readonly #probes: Probes;
  readonly #options: LiveOptions;
  readonly #excludedUids: ReadonlySet<number>;
  readonly #tls;
  readonly #watched = new Set<number>();
  readonly #notices;
  readonly #openings = createLibraryOpenings();
  #intake: Intake | undefined;
  #stop: () => void = () => {};
  #tick: () => void = () => {};
  #drain: () => void = () => {};
  /** What events ask for happens after the record they came from is through: a replay has facts in that place too. */
  #pending: (() => void)[] = [];

  constructor(probes: Probes, options: LiveOptions, excludedUids: ReadonlySet<number>) {
    this.#probes = probes;
    this.#options = options;
    this.#excludedUids = excludedUids;
    this.#notices = createUnreadNotices(options.warn);
    this.#tls = createTlsAttacher({ probes, counters: options.counters, warn: options.warn });
  }

  get unattached(): readonly string[] {
    return this.#probes.unattached;
  }

  start(intake: Intake): void {
    this.#intake = intake;
    const own = this.#probes.readProcesses().find((one) => one.pid === process.pid);
    const reader = { process: own?.process ?? (`${process.pid}:0` as const), pid: process.pid, tid: process.pid };
    intake.pushFact(describeSession(reader.process, this.#options.version));
    const readLosses = createLossReader(() => this.#probes.readLosses(), reader);
    const ring = createRing(this.#probes.ring_fd, this.#probes.ring_bytes, (record) => {
      intake.pushRecord(record);
      this.#settle();
    });
    this.#tick = () => {
      // Everything older than the tick has to be through before it: the order stage gives it out then.
      const now_ns = now();
      ring.drain();
      for (const loss of readLosses(now_ns)) intake.pushFact(loss);
      intake.tick(now_ns);
      this.#settle();
      this.#tls.check();
    };
    const timer = setInterval(this.#tick, TICK_MS);
    this.#drain = () => {
      // What is pending may put more into the ring: a second look is enough for what had happened before the call.
      ring.drain();
      this.#settle();
      this.#tick();
    };
    this.#stop = () => {
      clearInterval(timer);
      ring.close();
    };
    this.attachTls(findSystemLibraries());
    if (!this.#options.is_daemon) return;
    this.#watchRunning();
    // An executable of hundreds of megabytes is searched before it runs: its first call would be over by then.
    for (const agent of findInstalledAgents(process.env.PATH ?? '')) this.attachTls(agent.tls_files);
  }

  attachTls(files: Iterable<string>): void {
    this.#tls.attach(files);
  }

  watchTree(pid: number, { reason, agent, since_ns = now() }: Target): void {
    const intake = this.#intake;
    const seen = new Set<number>();
    let root: ProcessExecEvent | undefined;
    for (let walk = 0; walk < MAX_WALKS; walk++) {
      const fresh = treeOf(pid, this.#probes.readProcesses()).filter((one) => !seen.has(one.pid));
      if (fresh.length === 0) break;
      for (const snapshot of fresh) {
        seen.add(snapshot.pid);
        this.#watched.add(snapshot.pid);
        this.#probes.watch(snapshot.pid, BigInt(snapshot.process.split(':')[1] ?? 0));
        const event = snapshotProcess(snapshot, true, since_ns);
        if (event === undefined) continue;
        intake?.pushFact(event);
        if (snapshot.pid === pid) {
          root = event;
          intake?.pushFact(describeTarget(event, reason, agent ?? identify(event)));
        }
        this.#look(event);
        if (reason === 'launched') continue;
        for (const open of snapshotDescriptors(snapshot.pid, event.process, since_ns)) intake?.pushFact(open);
      }
    }
    if (root === undefined) this.#options.counters.lost('live.target_gone');
  }

  onEvent(event: Event): void {
    switch (event.kind) {
      case 'process_exec':
        if (event.origin !== 'exec') return;
        if (event.watched) this.#pending.push(() => this.#look(event));
        else this.#pending.push(() => this.#consider(event));
        return;
      case 'file_open':
      case 'file_io':
      case 'file_change': {
        const file = this.#openings.fileOf(event);
        if (file !== undefined)
          this.#pending.push(() => this.#tls.attach([ourPathOf(event.pid, file)], watchedUse(event)));
        return;
      }
      case 'tls_data':
        this.#tls.see(event);
        return;
      case 'agent_seen':
        this.#pending.push(() => {
          // What was left out for strangers: the answer is on its way.
          this.#tls.attach([`/proc/${event.pid}/exe`], watchedUse(event));
          this.watchTree(event.pid, { reason: 'traffic', since_ns: event.ktime_ns });
        });
        return;
      case 'process_exit':
        this.#watched.delete(event.pid);
        return;
      default:
    }
  }

  onUnread(event: UnreadTrafficEvent): void {
    this.#notices.unread(event);
  }

  drain(): void {
    this.#drain();
  }

  close(): Promise<void> {
    this.#stop();
    return this.#probes.close();
  }

  #settle(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    for (const action of pending) action();
  }

  /** What there is to know about a watched process that runs a new image. */
  #look(event: ProcessExecEvent): void {
    this.#notices.runs(event.pid, event.executable_path);
    this.#tls.attach(findProcessFiles(event.pid), watchedUse(event));
    this.attachTls(findBundledLibraries(throughRoot(event.pid, event.executable_path)));
    const facts = readProcessFacts(event.pid, event.process, event.ktime_ns);
    if (facts !== undefined) this.#intake?.pushFact(facts);
  }

  /** Whether a process that nobody watches is an agent. */
  #consider(event: ProcessExecEvent): void {
    const { targets } = this.#options.receiver;
    // Of those who came later, the kernel side tells nothing.
    if (this.#excludedUids.has(event.uid)) return;
    if (targets.traffic) this.#tls.attach(findProcessFiles(event.pid), { by: 'anyone' });
    const agent = recogniseAgent(event, targets.rules);
    if (agent === undefined || this.#watched.has(event.pid)) return;
    if (agent.reason === 'catalogue' && !targets.catalogue) return;
    const version = readAgentVersion(event.pid, event, event.working_directory);
    this.watchTree(event.pid, {
      reason: agent.reason,
      agent: { name: agent.name, version },
      since_ns: event.ktime_ns,
    });
  }

  #watchRunning(): void {
    for (const snapshot of this.#probes.readProcesses()) {
      if (snapshot.pid === process.pid || this.#watched.has(snapshot.pid)) continue;
      const event = snapshotProcess(snapshot, false, now());
      if (event !== undefined) this.#consider(event);
    }
  }
}

const watchedUse = ({ pid }: EventBase) => ({ by: 'watched', pid }) as const;

function identify(root: ProcessExecEvent): AgentIdentity {
  return {
    name: recogniseAgent(root, [])?.name ?? nameOf(root),
    version: readAgentVersion(root.pid, root, root.working_directory),
  };
}

function describeTarget(root: EventBase, reason: TargetEvent['reason'], agent: AgentIdentity): TargetEvent {
  const { ktime_ns, process, pid, tid } = root;
  return { kind: 'target', ktime_ns, process, pid, tid, reason, agent_name: agent.name, agent_version: agent.version };
}
