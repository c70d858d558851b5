import type { NetworkActivity } from '../model/activity.ts';
import type { SocketAddress } from '../model/event.ts';

/** How far away a peer is. Private: RFC 1918, RFC 6598, link-local, RFC 4193. Unix sockets never leave the machine. */
export function addressScope({ family, address }: SocketAddress): NetworkActivity['scope'] {
  if (family !== 'ipv4' && family !== 'ipv6') return 'loopback';
  const ip = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (ip.includes(':')) {
    if (ip === '::1' || ip === '::' || ip === '') return 'loopback';
    return /^f[cd]|^fe[89ab]/.test(ip) ? 'private' : 'external';
  }
  const [first = 0, second = 0] = ip.split('.').map(Number);
  if (ip === '' || first === 127 || first === 0) return 'loopback';
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128);
  return isPrivate ? 'private' : 'external';
}

/** From how far away a listening socket can be reached; from everywhere when it is bound to no address. */
export function listenScope(local: SocketAddress): NetworkActivity['scope'] {
  return local.address === '0.0.0.0' || local.address === '::' ? 'external' : addressScope(local);
}
