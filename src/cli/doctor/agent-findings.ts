import fs from 'node:fs';
import { printable } from '../../export/console/printable-text.ts';
import { readAt, readElf } from '../../targets/elf.ts';
import { findAgentsInPath, type InstalledAgent } from '../../targets/installed-agents.ts';
import { locateTls } from '../../targets/locate-tls.ts';
import { findPackagedBinaries } from '../../targets/packaged-binaries.ts';
import { type AgentRule, recogniseAgent } from '../../targets/recognise-agent.ts';
import { findProcessFiles, findSystemLibraries } from '../../targets/tls-files.ts';
import { unreadTlsReason } from '../../targets/unread-tls-reason.ts';
import { type Finding, fallback, ok } from './finding.ts';

const MAX_SHOWN = 12;
const MAX_NAMES_BYTES = 1 << 20;
const FIX =
  'Processes, files and connections show all the same. `undersight targets inspect FILE` says what was looked for.';

interface FoundAgent {
  readonly name: string;
  /** A path, or a pid. */
  readonly where: string;
  /** How its TLS is read; undefined when it is not. */
  readonly tls: string | undefined;
  /** Why it is not. */
  readonly reason?: string | undefined;
}

/** The known agents that can be started here. */
export function findInstalledAgents(env: NodeJS.ProcessEnv): Finding {
  const found = findAgentsInPath(env.PATH ?? '').flatMap(describeInstalled);
  return describe('agents installed', found, 'none of the known ones in PATH');
}

/** The agents that run now. */
export function findRunningAgents(rules: readonly AgentRule[]): Finding {
  const found: FoundAgent[] = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const executable_path = fs.readlinkSync(`/proc/${pid}/exe`);
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const agent = recogniseAgent({ executable_path, args }, rules);
      if (agent === undefined) continue;
      const tls = familyOf(findProcessFiles(Number(pid)));
      const reason = tls === undefined ? unreadTlsReason(Number(pid)) : undefined;
      found.push({ name: agent.name, where: pid, tls, reason });
    } catch {
      // Gone, a kernel thread, or not ours to look at.
    }
  }
  return describe('agents running', found, 'none that the catalogue or a rule knows');
}

function describe(name: string, found: readonly FoundAgent[], none: string): Finding {
  if (found.length === 0) return ok(name, none);
  // Those that need attention first.
  const unread = found.filter(({ tls }) => tls === undefined);
  const shown = [...unread, ...found.filter(({ tls }) => tls !== undefined)].slice(0, MAX_SHOWN);
  const lines = shown.map(({ name, where, tls, reason = 'no TLS library that is read' }) => {
    return `${printable(name)} (${printable(where)}): ${tls ?? `${printable(reason)}; LLM calls will be missing`}`;
  });
  if (found.length > shown.length) lines.push(`and ${found.length - shown.length} more`);
  const detail = lines.join('\n');
  return unread.length === 0 ? ok(name, detail) : fallback(name, detail, FIX);
}

function describeInstalled({ name, executable_path, tls_files }: InstalledAgent): FoundAgent[] {
  try {
    const image = fs.realpathSync(executable_path);
    const packaged = findPackagedBinaries(image);
    const shared = findSystemLibraries();
    // Where a script only starts the binary of its package, that one speaks TLS.
    const own = packaged.length > 0 ? packaged : tls_files.filter((file) => !shared.includes(file));
    const usesShared = packaged.length > 0 ? packaged.some(namesLibssl) : namesLibssl(image);
    return [{ name, where: executable_path, tls: familyOf(own) ?? (usesShared ? familyOf(shared) : undefined) }];
  } catch {
    return [];
  }
}

function familyOf(files: readonly string[]): string | undefined {
  for (const file of files) {
    const library = locateTls(file);
    if (library !== undefined) return `TLS is read (${library.families.join(', ')})`;
  }
  return undefined;
}

/** Whether an executable is linked to libssl. Of a script one cannot tell: its interpreter loads that when it is asked to. */
function namesLibssl(file: string): boolean {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const elf = readElf(fd);
    if (elf === undefined) return true;
    const names = elf.sections.find(({ name }) => name === '.dynstr');
    return (
      names !== undefined && readAt(fd, names.offset, Math.min(names.bytes, MAX_NAMES_BYTES)).includes('libssl.so')
    );
  } finally {
    fs.closeSync(fd);
  }
}
