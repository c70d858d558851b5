import path from 'node:path';
import * as z from 'zod';
import { KNOWN_AGENTS, type KnownAgent } from './agent-catalogue.ts';

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

/** How a process was started, as `process_exec` tells it. */
export interface Invocation {
  readonly executable_path: string;
  readonly args: readonly string[];
}

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
  const name =
    program?.module ??
    (program?.script && path.parse(program.script).name) ??
    path.basename(invocation.executable_path);
  return name || 'unknown';
}

/** The script that an interpreter runs, as its command line names it. */
export function scriptOf(invocation: Invocation): string | undefined {
  return findProgram(invocation)?.script;
}

function matchesRule(invocation: Invocation, rule: AgentRule): boolean {
  const { executable, argument } = rule;
  return (
    (executable === undefined || path.matchesGlob(invocation.executable_path, executable)) &&
    (argument === undefined || invocation.args.some((one) => path.matchesGlob(one, argument)))
  );
}

function isKnown(invocation: Invocation, agent: KnownAgent): boolean {
  const executable = path.basename(invocation.executable_path);
  const program = findProgram(invocation);
  if (program === undefined) return agent.executables?.includes(executable) ?? false;
  const { script, module } = program;
  if (module !== undefined) return agent.modules?.includes(module) ?? false;
  return agent.scripts?.some((one) => `/${script}`.endsWith(`/${one}`)) ?? false;
}

/** Interpreters, and their options that take the next word. `-m` and `-c` are looked at apart. */
const INTERPRETERS: readonly { readonly name: RegExp; readonly takes: readonly string[] }[] = [
  {
    name: /^(node|nodejs)(-?\d+)?$/,
    takes: [
      '-r',
      '--require',
      '--import',
      '--loader',
      '--experimental-loader',
      '-C',
      '--conditions',
      '--env-file',
      '--title',
    ],
  },
  { name: /^bun$/, takes: ['-r', '--preload', '--cwd', '-c', '--config'] },
  { name: /^deno$/, takes: [] },
  { name: /^(python|pypy)[\d.]*$/, takes: ['-W', '-X', '--check-hash-based-pycs'] },
  { name: /^(bash|sh|dash|zsh|ruby|perl)$/, takes: ['-o', '-O', '-I'] },
];

interface Program {
  readonly script: string | undefined;
  readonly module: string | undefined;
}

/** What an interpreter was told to run; undefined when the process is no interpreter. */
function findProgram({ executable_path, args }: Invocation): Program | undefined {
  const executable = path.basename(executable_path);
  const interpreter = INTERPRETERS.find((one) => one.name.test(executable));
  if (interpreter === undefined) return undefined;
  const isPython = /^(python|pypy)/.test(executable);
  for (let at = 1; at < args.length; at++) {
    const word = args[at] as string;
    if (isPython && word === '-m') return { script: undefined, module: args[at + 1] };
    if (!executable.startsWith('bun') && ['-c', '-e', '-p', '--eval', '--print'].includes(word)) break;
    if (executable === 'bun' || executable === 'deno') if (word === 'run' || word === 'x') continue;
    if (word === '--') continue;
    if (!word.startsWith('-')) return { script: word, module: undefined };
    if (interpreter.takes.includes(word)) at++;
  }
  return { script: undefined, module: undefined };
}
