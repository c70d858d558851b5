import fs from 'node:fs';
import path from 'node:path';
import { KNOWN_AGENTS } from './agent-catalogue.ts';
import { findNetworkMounts, isBelow } from './network-mounts.ts';
import { resolveCommand } from './resolve-command.ts';

/** Where installers put commands below a home directory: their own, npm's, Bun's, uv's, nvm's, Volta's, Cargo's. */
const HOME_DIRECTORIES = [
  '.local/bin',
  '.npm-global/bin',
  '.bun/bin',
  '.opencode/bin',
  '.nvm/versions/node/*/bin',
  '.volta/bin',
  '.cargo/bin',
  '.claude/local',
];
const SHARED_DIRECTORIES = ['/usr/local/bin', '/usr/bin', '/opt/*/bin', '/snap/bin'];
const MAX_HOMES = 256;
const MAX_DIRECTORIES = 2048;

export interface InstalledAgent {
  readonly name: string;
  readonly executable_path: string;
  /** Every file that may hold the TLS functions that it calls. */
  readonly tls_files: readonly string[];
}

interface AgentPlace {
  /** Where interpreters are looked for. */
  readonly path_variable: string;
  /** Where agents are looked for, if not in the whole path. */
  readonly directory?: string;
}

/** The known agents in the directories of `path_variable`. */
export function findAgentsInPath(path_variable: string): readonly InstalledAgent[] {
  return findAgents({ path_variable });
}

function findAgents(place: AgentPlace): readonly InstalledAgent[] {
  return KNOWN_AGENTS.flatMap(({ name, executables = [], scripts = [] }) => {
    const commands = new Set([...executables, ...scripts.filter((script) => !script.includes('/'))]);
    return [...commands].flatMap((command) => resolve(name, command, place)).slice(0, 1);
  });
}

/** The known agents that any user has installed, in PATH and where installers put them; each file once. Homes on other machines are left out. */
export function findInstalledAgents(path_variable: string): readonly InstalledAgent[] {
  const found = new Map<string, InstalledAgent>();
  for (const directory of [...new Set([...path_variable.split(':'), ...listDirectories()])].slice(0, MAX_DIRECTORIES)) {
    for (const agent of findAgents({ path_variable, directory })) found.set(realPath(agent.executable_path), agent);
  }
  return [...found.values()];
}

function resolve(name: string, command: string, place: AgentPlace): InstalledAgent[] {
  try {
    return [{ name, ...resolveCommand(command, { ...place, working_directory: '/' }) }];
  } catch {
    return [];
  }
}

function listDirectories(): readonly string[] {
  // One that does not answer would hold everything up.
  const far = findNetworkMounts();
  const isNear = (directory: string) => !isBelow(directory, far);
  const homes = ['/root', ...(isNear('/home') ? list('/home') : [])].filter(isNear).slice(0, MAX_HOMES);
  const patterns = [
    ...homes.flatMap((home) => HOME_DIRECTORIES.map((one) => path.join(home, one))),
    ...SHARED_DIRECTORIES,
  ];
  return patterns.flatMap((pattern) => {
    const [before = '', after] = pattern.split('/*');
    return after === undefined ? [before] : list(before).map((directory) => directory + after);
  });
}

function list(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory).map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}
