import type { SocketAddress } from '../model/event.ts';
import type { SocketAddress as RawSocketAddress } from './events.gen.ts';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const MAPPED_PREFIX = '00000000000000000000ffff';

/** An address in text form. IPv4 inside IPv6 (`::ffff:0:0/96`) is told as the IPv4 it is. */
export function socketAddress(raw: RawSocketAddress, path: Buffer): SocketAddress {
  const bytes = Buffer.from(raw.address.buffer, raw.address.byteOffset, 16);
  switch (raw.family) {
    case AF_UNIX:
      return { family: 'unix', address: unixPath(path), port: 0 };
    case AF_INET:
      return { family: 'ipv4', address: ipv4Text(bytes), port: raw.port };
    case AF_INET6:
      if (bytes.toString('hex', 0, 12) === MAPPED_PREFIX) {
        return { family: 'ipv4', address: ipv4Text(bytes.subarray(12)), port: raw.port };
      }
      return { family: 'ipv6', address: ipv6Text(bytes), port: raw.port };
    default:
      return { family: 'other', address: '', port: 0 };
  }
}

/** Four bytes in dotted form. */
function ipv4Text(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** Sixteen bytes as RFC 5952 section 4 writes them: the longest run of zero groups, the first of equals, becomes `::`. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (groups[end] === 0) end++;
    if (end - at > length) {
      start = at;
      length = end - at;
    }
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

/** An abstract name begins with NUL, and is written with `@` in its place. */
function unixPath(path: Buffer): string {
  return path[0] === 0 ? `@${path.toString('utf8', 1)}` : path.toString('utf8');
}
