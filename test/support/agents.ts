import { claudeCode, commandLineAgents } from './agents/command-line-agents.ts';
import { claudeCodeWithMcp } from './agents/mcp-agent.ts';
import { opencode } from './agents/opencode.ts';
import { sdkAgents } from './agents/sdk-agents.ts';
import type { RealAgent } from './real-agent.ts';

/** Rows of the table, in its order. */
export const agents: readonly RealAgent[] = [
  ...commandLineAgents.flatMap((agent) => (agent === claudeCode ? [agent, claudeCodeWithMcp] : [agent])),
  opencode,
  ...sdkAgents,
];
