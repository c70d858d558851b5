import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ReceiverOptions } from '../../config/receiver-options.ts';
import { printable } from '../../export/console/printable-text.ts';
import { resolveUserIds } from '../../kernel/user-ids.ts';
import { KNOWN_AGENTS } from '../../targets/agent-catalogue.ts';
import { locateTls } from '../../targets/locate-tls.ts';
import { type AgentRule, recogniseAgent } from '../../targets/recognise-agent.ts';
import { findSystemLibraries } from '../../targets/tls-files.ts';
import { type Finding, fallback, ok } from './finding.ts';

const MAX_SHOWN = 12;

/** Whose TLS can be read, which agents there are, and who is left out. */
export function findTargets({ targets, exclude }: ReceiverOptions, env: NodeJS.ProcessEnv): Finding[] {
  return [findTls(), findNode(env), findInstalled(env), findRunning(targets.rules), ...findExcluded(exclude.users)];
}

function findExcluded(users: readonly (string | number)[]): Finding[] {
  const { unknown } = resolveUserIds(users);
  if (users.length === 0) return [];
  if (unknown.length === 0) return [ok('excluded users', users.join(', '))];
  const fix = 'Correct receivers.undersight.exclude.users, or give numeric ids.';
  return [fallback('excluded users', `not known to this machine: ${unknown.map(printable).join(', ')}`, fix)];
}

function findTls(): Finding {
  const libraries = findSystemLibraries().filter((file) => locateTls(file) !== undefined);
  if (libraries.length > 0) return ok('OpenSSL', libraries.join(', '));
  return fallback(
    'OpenSSL',
    'no shared libssl on this system',
    'Those that programs bring along are found as they run.',
  );
}

function findNode(env: NodeJS.ProcessEnv): Finding {
  const node = findInPath('node', env);
  if (node === undefined) return ok('Node.js agents', 'no node in PATH; others are found as they run');
  if (locateTls(node) !== undefined) return ok('Node.js agents', `${node} has its own OpenSSL`);
  return ok('Node.js agents', `${node} uses a shared OpenSSL`);
}

function findInstalled(env: NodeJS.ProcessEnv): Finding {
  const installed = KNOWN_AGENTS.flatMap((agent) => {
    const names = [...(agent.executables ?? []), ...(agent.scripts ?? []).filter((script) => !script.includes('/'))];
    const file = names.map((name) => findInPath(name, env)).find((found) => found !== undefined);
    return file === undefined ? [] : [`${agent.name} (${file})`];
  });
  return ok('agents installed', installed.join(', ') || 'none of the known ones in PATH');
}

function findRunning(rules: readonly AgentRule[]): Finding {
  const running: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const executable_path = readlinkSync(`/proc/${pid}/exe`);
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const agent = recogniseAgent({ executable_path, args }, rules);
      if (agent !== undefined) running.push(`${printable(agent.name)} (${pid})`);
    } catch {
      // Gone, a kernel thread, or not ours to look at.
    }
  }
  const more = running.length > MAX_SHOWN ? `, and ${running.length - MAX_SHOWN} more` : '';
  return ok(
    'agents running',
    running.slice(0, MAX_SHOWN).join(', ') + more || 'none that the catalogue or a rule knows',
  );
}

function findInPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
