import fs from 'node:fs';
import type { FileOpenEvent, NetOpenEvent, ProcessKey } from '../model/event.ts';
import { readProcFile, readProcLink } from './proc-file.ts';
import { readSocketTable, type Socket } from './socket-table.ts';

const MAX_DESCRIPTORS = 4096;

/**
 * The regular files, TCP, UDP and unix sockets that a process has open, as `inherited` events. Their ids are ours: what the
 * process does with a descriptor is told under the id of another `inherited` event, which the kernel side sends at its
 * first use. `sockets` is the table of the process's network namespace, read here when it is not given.
 */
export function snapshotDescriptors(
  pid: number,
  process: ProcessKey,
  now_ns: bigint,
  sockets: ReadonlyMap<string, Socket> = readSocketTable(pid),
): readonly (FileOpenEvent | NetOpenEvent)[] {
  const base = { ktime_ns: now_ns, process, pid, tid: pid };
  return listDescriptors(pid).flatMap((fd): (FileOpenEvent | NetOpenEvent)[] => {
    const target = readProcLink(`/proc/${pid}/fd/${fd}`);
    const id = (1n << 63n) | (BigInt(pid) << 31n) | BigInt(fd);
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) {
      const socket = sockets.get(inode);
      if (socket === undefined) return [];
      const { is_listening, ...addresses } = socket;
      const operation = is_listening ? 'listen' : 'inherited';
      return [{ kind: 'net_open', ...base, operation, socket_id: id, fd, ...addresses, errno: 0 }];
    }
    const mode = modeOf(pid, fd);
    if (!target.startsWith('/') || (mode & fs.constants.S_IFMT) !== fs.constants.S_IFREG) return [];
    const flags = flagsOf(pid, fd);
    return [{ kind: 'file_open', ...base, origin: 'inherited', file_id: id, fd, flags, mode, errno: 0, path: target }];
  });
}

function listDescriptors(pid: number): readonly number[] {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).map(Number).slice(0, MAX_DESCRIPTORS);
  } catch {
    return [];
  }
}

function modeOf(pid: number, fd: number): number {
  try {
    return fs.statSync(`/proc/${pid}/fd/${fd}`).mode;
  } catch {
    return 0;
  }
}

function flagsOf(pid: number, fd: number): number {
  const info = readProcFile(`/proc/${pid}/fdinfo/${fd}`)?.toString('latin1') ?? '';
  return Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '0', 8);
}
