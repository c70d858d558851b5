import type { AgentInstance } from '../model/activity.ts';
import { BoundedMap } from '../model/bounded-map.ts';
import type { ProcessFactsEvent, TargetEvent } from '../model/event.ts';
import type { Caller } from './caller.ts';
import { Conversations } from './conversation.ts';
import type { Places } from './file-class.ts';
import type { Process } from './process-tree.ts';
import type { ToolWindow } from './tool-window.ts';
import type { Turn } from './turn.ts';

const SCRIPT = /(?:^|\/)([^/]{1,100})\.(?:[cm]?[jt]s|py|rb|pl|php|sh)$/;
const MAX_LOOKED_AT = 32;
const MAX_NAMES = 4096;
const MAX_WINDOWS = 4096;

/** One watched process tree: what it is, and what is going on in it. */
export interface Scope {
  readonly root: Process;
  readonly target: TargetEvent;
  readonly callers: Set<Caller>;
  readonly turns: Set<Turn>;
  /** The turn that agent processes which make no calls themselves are in. */
  current: Turn | undefined;
  turn_count: number;
  readonly conversations: Conversations;
  /** Tool calls that wait for their result, by the protocol's id. */
  readonly windows: BoundedMap<string, ToolWindow>;
  /** What DNS answers called addresses. */
  readonly names: BoundedMap<string, string>;
  /** What its calls of models go to: `address:port` and `name:port`. */
  readonly model_peers: BoundedMap<string, boolean>;
  agent: AgentInstance | undefined;
  /** A process of it has called a model: from now on all it does is part of turns. */
  has_called: boolean;
  is_ended: boolean;
  /** The root's own activity, in a turn without any call that ended before its tree did. */
  root_continues: string | undefined;
}

export function createScope(root: Process, target: TargetEvent): Scope {
  return {
    root,
    target,
    callers: new Set(),
    turns: new Set(),
    current: undefined,
    turn_count: 0,
    conversations: new Conversations(),
    windows: new BoundedMap(MAX_WINDOWS),
    names: new BoundedMap(MAX_NAMES),
    model_peers: new BoundedMap(MAX_NAMES),
    agent: undefined,
    has_called: false,
    is_ended: false,
    root_continues: undefined,
  };
}

/** The agent as its activities name it: as the root was when the first of them was told. */
export function agentOf(scope: Scope): AgentInstance {
  const { root, target } = scope;
  scope.agent ??= describeAgent(root, target.agent_name, target.agent_version);
  return scope.agent;
}

/** An agent that another one started: as it was when the first of its activities was told. */
export function nestedAgentOf(caller: Caller): AgentInstance {
  const { process } = caller;
  const { agent_name = programName(process), agent_version } = process.target ?? {};
  caller.agent ??= describeAgent(process, agent_name, agent_version);
  return caller.agent;
}

/** What a script is called, else what runs it. */
function programName({ args, executable_path, comm }: Process): string {
  const script = args.slice(1, MAX_LOOKED_AT).find((arg) => SCRIPT.test(arg));
  return SCRIPT.exec(script ?? '')?.[1] || executable_path.slice(executable_path.lastIndexOf('/') + 1) || comm;
}

function describeAgent(root: Process, name: string, version: string | undefined): AgentInstance {
  const { facts } = root;
  return {
    name,
    version,
    process: root.key,
    pid: root.pid,
    parent_pid: root.parent_pid,
    executable_path: root.executable_path,
    args: root.args,
    working_directory: root.working_directory,
    uid: root.uid,
    user_name: facts?.user_name,
    container_id: facts?.container_id,
    environment: facts?.environment ?? {},
  };
}

/** `workspace`: the directories that are every agent's. */
export function placesOf({ root }: Scope, process: Process, workspace: readonly string[]): Places {
  const facts: ProcessFactsEvent | undefined = process.facts ?? root.facts;
  const own = root.working_directory || process.working_directory;
  return { workspaces: [own, ...workspace], home: facts?.home_directory ?? '' };
}
