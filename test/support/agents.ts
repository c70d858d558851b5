import { commandLineAgents } from './agents/command-line-agents.ts';
import { sdkAgents } from './agents/sdk-agents.ts';
import type { RealAgent } from './real-agent.ts';

/** Rows of the table, in its order. */
export const agents: readonly RealAgent[] = [...commandLineAgents, ...sdkAgents];
