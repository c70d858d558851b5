import fs from 'node:fs';
import { printable } from '../../export/console/printable-text.ts';
import { snapshotDescriptors } from '../../targets/process-descriptors.ts';
import type { AgentRule } from '../../targets/recognise-agent.ts';
import { recogniseAgent } from '../../targets/recognise-agent.ts';
import { readSocketTable, type Socket } from '../../targets/socket-table.ts';
import { unreadTlsReason } from '../../targets/unread-tls-reason.ts';
import { type Finding, fallback, ok } from './finding.ts';

const NAME = 'TLS of running processes';
/** Where TLS is spoken, as far as a port can tell. */
const TLS_PORTS: ReadonlySet<number> = new Set([443, 8443]);
const MAX_SHOWN = 12;
/** Programs that are looked into: for each it may take a part of a second. */
const MAX_PROGRAMS = 64;
const FIX =
  'Processes, files and connections show all the same. `undersight targets inspect FILE` says what was looked for.';

interface Speaker {
  readonly pid: number;
  readonly program: string;
  readonly peer: string;
}

/** The processes that have a connection which is TLS by its port, and whose TLS cannot be read; and why. Agents have their own line. */
export function findUnreadProcesses(rules: readonly AgentRule[]): Finding {
  const programs = new Map<string, Speaker>();
  for (const speaker of listSpeakers(rules)) {
    if (programs.size >= MAX_PROGRAMS) break;
    if (!programs.has(speaker.program)) programs.set(speaker.program, speaker);
  }
  const unread = [...programs.values()].flatMap(({ pid, program, peer }) => {
    const reason = unreadTlsReason(pid);
    return reason === undefined ? [] : [`${printable(program)} (pid ${pid}, connected to ${peer}): ${reason}`];
  });
  if (unread.length === 0) {
    const looked = programs.size === 0 ? 'none speaks TLS now, as far as ports tell' : `read in all ${programs.size}`;
    return ok(NAME, looked);
  }
  const lines = unread.slice(0, MAX_SHOWN);
  if (unread.length > lines.length) lines.push(`and ${unread.length - lines.length} more`);
  return fallback(NAME, lines.join('\n'), FIX);
}

function* listSpeakers(rules: readonly AgentRule[]): Generator<Speaker> {
  const tables = new Map<string, ReadonlyMap<string, Socket>>();
  for (const name of fs.readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const program = fs.readlinkSync(`/proc/${pid}/exe`);
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (recogniseAgent({ executable_path: program, args }, rules) !== undefined) continue;
      const peer = findTlsPeer(pid, tables);
      if (peer !== undefined) yield { pid, program, peer };
    } catch {
      // Gone, a kernel thread, or not ours to look at.
    }
  }
}

function findTlsPeer(pid: number, tables: Map<string, ReadonlyMap<string, Socket>>): string | undefined {
  const namespace = fs.readlinkSync(`/proc/${pid}/ns/net`);
  const table = tables.get(namespace) ?? readSocketTable(pid);
  tables.set(namespace, table);
  for (const open of snapshotDescriptors(pid, `${pid}:0`, 0n, table)) {
    if (open.kind !== 'net_open' || open.transport !== 'tcp' || open.operation === 'listen') continue;
    const { address, port } = open.peer;
    if (TLS_PORTS.has(port)) return open.peer.family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }
  return undefined;
}
