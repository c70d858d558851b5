import type { Counters } from '../health/counters.ts';
import type { Activity } from '../model/activity.ts';
import type { Event, ProcessExitEvent, SessionEvent, TargetEvent } from '../model/event.ts';
import type { LlmCall } from '../model/llm-call.ts';
import type { McpCall } from '../model/mcp-call.ts';
import type { Stage } from '../stage.ts';
import { FileFolds } from './file-folds.ts';
import { LlmCalls } from './llm-calls.ts';
import { McpCalls } from './mcp-calls.ts';
import { McpServing } from './mcp-serving.ts';
import { NetworkFolds } from './network-folds.ts';
import type { CorrelateOptions } from './options.ts';
import { placeOf } from './process-segment.ts';
import { ProcessSegments } from './process-segments.ts';
import { type Process, ProcessTree } from './process-tree.ts';
import { createScope } from './scope.ts';
import type { ToolWindow } from './tool-window.ts';
import { isSettled, LONG_TURN, type Turn } from './turn.ts';
import { TurnEnd } from './turn-end.ts';
import { Turns } from './turns.ts';

const MAX_PROCESSES = 32_768;
/** How long after its exit a process's last events may come: the kernel closes its files after that. */
const EXIT_GRACE_NS = 500_000_000n;

/**
 * Joins what an agent's model asked for with what its processes did: turns, calls, tools, processes, files and
 * connections, each told once, when it has ended, under what caused it. Session events are passed on.
 */
export function createCorrelate(
  options: CorrelateOptions & { readonly counters: Counters },
  next: Stage<Activity | SessionEvent>,
): Stage<Event | LlmCall | McpCall> {
  const { counters, turn_timeout, tool_window, tool_timeout } = options;
  const turns = new Turns(options, (activity) => next.push(activity));
  const tree: ProcessTree = new ProcessTree(MAX_PROCESSES, (process) => {
    counters.lost('correlate.processes_evicted');
    end.forgetProcess(process, last_ns);
  });
  const serving = new McpServing(tree);
  const segments = new ProcessSegments(tree, turns, serving);
  const files = new FileFolds(turns, segments, serving);
  const network = new NetworkFolds(turns, segments, serving);
  const mcp = new McpCalls(tree, turns, segments, network, serving);
  const end = new TurnEnd(tree, turns, segments, files, network, mcp);
  const calls = new LlmCalls(tree, turns, segments, network, end, mcp);
  const exited = new Set<Process>();
  let last_ns = 0n;

  const target = (event: TargetEvent): void => {
    const root = tree.seen(event);
    root.target = event;
    if (tree.scopeOf(root) !== undefined) return;
    root.is_agent = true;
    root.scope = createScope(root, event);
  };
  const exit = (process: Process, event: ProcessExitEvent): void => {
    process.exit = event;
    exited.add(process);
    const { caller } = process;
    if (caller?.outer !== undefined && caller.turn !== undefined) end.endTurn(caller.turn, event.ktime_ns, false);
  };
  const finish = (process: Process): void => {
    exited.delete(process);
    const { scope } = process;
    if (scope === undefined) {
      tree.delete(process);
      return;
    }
    const { ktime_ns = last_ns } = process.exit ?? {};
    if (scope.root === process) {
      scope.is_ended = true;
      if (!scope.has_called) turns.current(scope, process.start_ns);
      if (scope.has_called) tree.finished(process);
    } else end.finishProcess(process);
    // Without any call the run goes on for as long as something of it does: it is one trace.
    if (!scope.is_ended || !scope.has_called) return;
    for (const turn of [...scope.turns]) {
      const is_over = turn.caller === undefined ? process === scope.root : turn.caller.process.exit !== undefined;
      if (is_over && turn.outer === undefined) end.endTurn(turn, ktime_ns, false);
    }
  };
  /** Only what a watched tree's processes do goes any further. */
  const ofScope = (process: Process | undefined): Process | undefined => {
    if (process === undefined || tree.scopeOf(process) === undefined) return undefined;
    if (!process.is_finished) return process;
    counters.lost('correlate.late');
    return undefined;
  };
  const touch = ({ segment, scope }: Process, at_ns: bigint): void => {
    const turn = segment?.turn ?? scope?.current;
    if (turn !== undefined && at_ns > turn.active_ns) turn.active_ns = at_ns;
  };
  const takeEffect = (event: Exclude<Event, SessionEvent>): void => {
    const process = ofScope(tree.get(event.process));
    if (process === undefined) return;
    touch(process, event.ktime_ns);
    switch (event.kind) {
      case 'process_facts':
        process.facts = event;
        return;
      case 'blind_spot':
        process.blind_spots.add(event.reason);
        return;
      case 'file_open':
        files.opened(process, event);
        return;
      case 'file_io':
        files.moved(process, event);
        return;
      case 'file_change':
        files.changed(process, event);
        return;
      case 'net_open':
        network.opened(process, event);
        return;
      case 'net_io':
        network.moved(process, event);
        return;
      case 'net_name':
        network.named(process, event);
        return;
      case 'unread_traffic':
        network.unread(process, event);
        return;
      default:
    }
  };
  const isIdle = (turn: Turn, now_ns: bigint): boolean =>
    turn.answer_ns !== undefined &&
    now_ns - turn.answer_ns >= turn_timeout &&
    isSettled(turn) &&
    [...turn.nested].every((nested) => isIdle(nested, now_ns));
  const isGivenUp = (window: ToolWindow, now_ns: bigint): boolean => {
    const { closed_ns, tool, turn } = window;
    if (closed_ns !== undefined || now_ns - tool.complete_ns < tool_timeout) return false;
    const runs = ({ segment, exit }: Process) =>
      exit === undefined && segment !== undefined && placeOf(segment).window === window;
    return !turn.processes.values().some(runs);
  };
  /** What happens between turns waits for the next call, but not for long. */
  const isForgotten = ({ scope, caller, processes, active_ns, start_ns }: Turn, now_ns: bigint): boolean => {
    if (caller !== undefined) return false;
    const is_old = now_ns - active_ns >= turn_timeout || now_ns - start_ns >= LONG_TURN * turn_timeout;
    if (scope.has_called && is_old) return true;
    return scope.is_ended && [...processes].every((process) => process.is_finished || process === scope.root);
  };

  return {
    push(event) {
      if (event.kind === 'llm_call') {
        calls.push(event);
        return;
      }
      if (event.kind === 'mcp_call') {
        mcp.push(event);
        return;
      }
      if (event.ktime_ns > last_ns) last_ns = event.ktime_ns;
      switch (event.kind) {
        case 'session':
          next.push(event);
          return;
        case 'target':
          target(event);
          return;
        case 'loss':
          turns.lost_count += event.count;
          return;
        case 'process_fork': {
          const process = tree.fork(event);
          if (process.scope !== undefined) segments.of(process, event.ktime_ns);
          return;
        }
        case 'process_exec': {
          if (!event.watched) return;
          const before = tree.get(event.process);
          const process = tree.exec(event);
          if (before !== undefined && before !== process) exited.add(before);
          if (process.scope !== undefined) segments.executed(process, event.ktime_ns);
          return;
        }
        case 'process_exit': {
          const process = tree.get(event.process);
          if (process === undefined) return;
          touch(process, event.ktime_ns);
          exit(process, event);
          return;
        }
        default:
          takeEffect(event);
      }
    },
    tick(now_ns) {
      for (const process of exited) {
        if (process.exit !== undefined && now_ns - process.exit.ktime_ns < EXIT_GRACE_NS) break;
        if (!mcp.isUndecided(process) && !segments.isUndecided(process)) finish(process);
      }
      for (const turn of [...turns.open]) {
        for (const window of turn.windows) {
          const { deadline_ns } = window;
          if (deadline_ns !== undefined && deadline_ns <= now_ns) end.closeWindow(window, deadline_ns, false);
          else if (isGivenUp(window, now_ns)) end.closeWindow(window, turn.active_ns, true);
        }
        turn.windows = turn.windows.filter(
          ({ closed_ns }) => closed_ns === undefined || closed_ns + tool_window > now_ns,
        );
        if (isIdle(turn, now_ns)) end.endTurn(turn, turn.last_ns, false);
        else if (isForgotten(turn, now_ns)) end.endTurn(turn, turn.active_ns, false);
      }
      next.tick?.(now_ns);
    },
    close() {
      for (const process of [...exited]) finish(process);
      for (const scope of new Set([...tree.values()].flatMap((process) => process.scope ?? []))) {
        // A tree of which nothing was seen but its root is still a run.
        if (!scope.has_called && !scope.is_ended) turns.current(scope, scope.root.start_ns);
      }
      for (const turn of [...turns.open]) if (turn.outer === undefined) end.endTurn(turn, last_ns, true);
      return next.close?.();
    },
  };
}
