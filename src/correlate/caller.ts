import type { AgentInstance } from '../model/activity.ts';
import type { Process } from './process-tree.ts';
import type { Turn } from './turn.ts';

/** A process that calls a model. */
export interface Caller {
  readonly process: Process;
  /** The caller it descends from, whose turns its own are part of. */
  readonly outer: Caller | undefined;
  /** What its activities name as their agent, where that is not the scope's. */
  agent: AgentInstance | undefined;
  /** The turn that it was last heard of in. */
  turn: Turn | undefined;
}
