import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ReceiverOptions } from '../../config/receiver-options.ts';
import { printable } from '../../export/console/printable-text.ts';
import { resolveUserIds } from '../../kernel/user-ids.ts';
import { locateTls } from '../../targets/locate-tls.ts';
import { loadKnownBuilds } from '../../targets/tls/known-builds.ts';
import { findSystemLibraries } from '../../targets/tls-files.ts';
import { findInstalledAgents, findRunningAgents } from './agent-findings.ts';
import { type Finding, fallback, ok } from './finding.ts';
import { findUnreadProcesses } from './unread-processes.ts';

/** Whose TLS can be read, which agents there are, and who is left out. */
export function findTargets({ targets, exclude }: ReceiverOptions, env: NodeJS.ProcessEnv): Finding[] {
  loadKnownBuilds(targets.known_builds);
  return [
    findTls(),
    findNode(env),
    findInstalledAgents(env),
    findRunningAgents(targets.rules),
    findUnreadProcesses(targets.rules),
    ...findExcluded(exclude.users),
  ];
}

function findExcluded(users: readonly (string | number)[]): Finding[] {
  const { unknown } = resolveUserIds(users);
  if (users.length === 0) return [];
  if (unknown.length === 0) return [ok('excluded users', users.join(', '))];
  const fix = 'Correct receivers.undersight.exclude.users, or give numeric ids.';
  return [fallback('excluded users', `not known to this machine: ${unknown.map(printable).join(', ')}`, fix)];
}

function findTls(): Finding {
  const libraries = findSystemLibraries().flatMap((file) => {
    const library = locateTls(file);
    return library === undefined ? [] : [`${printable(file)} (${library.families.join(', ')})`];
  });
  if (libraries.length > 0) return ok('TLS libraries', libraries.join('\n'));
  return fallback(
    'TLS libraries',
    'none that is shared on this system',
    'Those that programs bring along are found as they run.',
  );
}

function findNode(env: NodeJS.ProcessEnv): Finding {
  const node = findInPath('node', env);
  if (node === undefined) return ok('Node.js agents', 'no node in PATH; others are found as they run');
  if (locateTls(node) !== undefined) return ok('Node.js agents', `${node} has its own OpenSSL`);
  return ok('Node.js agents', `${node} uses a shared OpenSSL`);
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
