import net from 'node:net';
import type { NetOpenEvent, SocketAddress } from '../model/event.ts';
import { readProcFile } from './proc-file.ts';

/** One socket of a network namespace, as /proc/net describes it. */
export interface Socket {
  readonly transport: NetOpenEvent['transport'];
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  readonly is_listening: boolean;
}

const MAX_TABLE_BYTES = 16 * 1024 * 1024;
const TCP_LISTEN = '0A';
/** __SO_ACCEPTCON of /proc/net/unix: it listens. */
const UNIX_LISTENS = 0x10000;
const NOBODY: SocketAddress = { family: 'unix', address: '', port: 0 };

/** All TCP, UDP and unix sockets of a process's network namespace, by inode number. */
export function readSocketTable(pid: number): ReadonlyMap<string, Socket> {
  const sockets = new Map<string, Socket>();
  for (const transport of ['tcp', 'udp'] as const) {
    for (const suffix of ['', '6']) {
      for (const words of readRows(`/proc/${pid}/net/${transport}${suffix}`)) {
        const [, local, peer, state, , , , , , inode] = words;
        if (local === undefined || peer === undefined || inode === undefined) continue;
        sockets.set(inode, {
          transport,
          local: parseAddress(local),
          peer: parseAddress(peer),
          is_listening: transport === 'tcp' && state === TCP_LISTEN,
        });
      }
    }
  }
  for (const [, , , flags, , , inode, ...path] of readRows(`/proc/${pid}/net/unix`)) {
    if (flags === undefined || inode === undefined) continue;
    const local: SocketAddress = { family: 'unix', address: path.join(' '), port: 0 };
    const is_listening = (Number.parseInt(flags, 16) & UNIX_LISTENS) !== 0;
    sockets.set(inode, { transport: 'unix', local, peer: NOBODY, is_listening });
  }
  return sockets;
}

/** `0100007F:01BB`: 32-bit words in the machine's order, little-endian on all that we run on, and a port. */
export function parseAddress(text: string): SocketAddress {
  const [digits = '', port = '0'] = text.split(':');
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length % 4 === 0) bytes.swap32();
  const portNumber = Number.parseInt(port, 16);
  if (bytes.length === 4) return { family: 'ipv4', address: bytes.join('.'), port: portNumber };
  if (bytes.length !== 16) return { family: 'other', address: '', port: 0 };
  const address = new net.SocketAddress({
    family: 'ipv6',
    address: (bytes.toString('hex').match(/.{4}/g) as string[]).join(':'),
  }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  return mapped === undefined
    ? { family: 'ipv6', address, port: portNumber }
    : { family: 'ipv4', address: mapped, port: portNumber };
}

function readRows(file: string): string[][] {
  const text = readProcFile(file, MAX_TABLE_BYTES)?.toString('utf8') ?? '';
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}
