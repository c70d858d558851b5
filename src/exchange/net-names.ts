import type { NetNameEvent, NetPayloadEvent } from '../model/event.ts';
import { parseDnsAnswer } from '../protocol/dns.ts';
import { parseTlsClientHello } from '../protocol/tls-client-hello.ts';

/** What the first plain bytes of a socket say about names; undefined: nothing. */
export function netName(event: NetPayloadEvent): NetNameEvent | undefined {
  const { ktime_ns, process, pid, tid, socket_id, payload } = event;
  const base = { kind: 'net_name', ktime_ns, process, pid, tid, socket_id } as const;
  if (event.protocol === 'dns') {
    const answer = parseDnsAnswer(payload);
    if (answer === undefined) return undefined;
    const error_type = answer.rcode === 'NOERROR' ? undefined : answer.rcode;
    return { ...base, source: 'dns', name: answer.name, addresses: answer.addresses, error_type };
  }
  const name = parseTlsClientHello(payload)?.server_name;
  return name === undefined ? undefined : { ...base, source: 'sni', name, addresses: [], error_type: undefined };
}
