import path from 'node:path';
import * as z from 'zod';
import { createGlobMatcher } from '../model/glob.ts';
import { KNOWN_AGENTS, type KnownAgent } from './agent-catalogue.ts';
import { findProgram, type Invocation } from './invocation.ts';

const MAX_ARGS = 256;
const MAX_CHARACTERS = 4096;

/** How a user says that a process is an agent. Every condition that is given must hold. */
export const agentRuleSchema = z
  .strictObject({
    name: z.string().min(1).describe('What the agent is called in traces'),
    executable: z.string().min(1).optional().describe('Glob for the path of its executable, e.g. /opt/agents/*/bin/*'),
    argument: z.string().min(1).optional().describe('Glob that one of its arguments matches, e.g. **/agent.py'),
  })
  .refine((rule) => rule.executable !== undefined || rule.argument !== undefined, {
    error: 'give executable, argument, or both',
  });

export type AgentRule = z.infer<typeof agentRuleSchema>;

export interface RecognisedAgent {
  readonly name: string;
  readonly reason: 'rule' | 'catalogue';
}

/** Who a process is, by the user's rules first, then by the catalogue of known agents. */
export function recogniseAgent(invocation: Invocation, rules: readonly AgentRule[]): RecognisedAgent | undefined {
  const rule = rules.find((one) => matchesRule(invocation, one));
  if (rule !== undefined) return { name: rule.name, reason: 'rule' };
  const agent = KNOWN_AGENTS.find((one) => isKnown(invocation, one));
  return agent && { name: agent.name, reason: 'catalogue' };
}

/** A name for a process that nobody knows: its script's or module's, else its executable's. */
export function nameOf(invocation: Invocation): string {
  const program = findProgram(invocation);
  const script = program?.script && path.parse(program.script).name;
  return program?.module || script || path.basename(invocation.executable_path) || 'unknown';
}

function matchesRule(invocation: Invocation, rule: AgentRule): boolean {
  const { executable, argument } = rule;
  return (
    (executable === undefined || isMatch(invocation.executable_path, executable)) &&
    (argument === undefined || invocation.args.slice(0, MAX_ARGS).some((one) => isMatch(one, argument)))
  );
}

/** Arguments are hostile: a long one must not hold the matcher. */
function isMatch(text: string, glob: string): boolean {
  return text.length <= MAX_CHARACTERS && createGlobMatcher([glob])(text);
}

function isKnown(invocation: Invocation, agent: KnownAgent): boolean {
  const program = findProgram(invocation);
  if (program === undefined) {
    // Some are started through a link, and their file is named for their version.
    const names = [invocation.executable_path, invocation.args[0] ?? ''].map((one) => path.basename(one));
    return names.some((name) => agent.executables?.includes(name));
  }
  const { script, module } = program;
  if (module !== undefined) return agent.modules?.includes(module) ?? false;
  return script !== undefined && (agent.scripts?.some((one) => endsWith(`/${script}`, `/${one}`)) ?? false);
}

function endsWith(script: string, pattern: string): boolean {
  return pattern.includes('*') ? isMatch(script, `**${pattern}`) : script.endsWith(pattern);
}
