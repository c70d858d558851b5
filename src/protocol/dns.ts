import { ipText } from './ip-address.ts';

export interface DnsAnswer {
  /** As asked, without the final dot. */
  readonly name: string;
  /** The number of the question's type: 1 is A, 28 is AAAA. */
  readonly type: number;
  readonly addresses: readonly string[];
  /** NOERROR, NXDOMAIN, ...; RCODE<n> for one without a name. */
  readonly rcode: string;
}

const HEADER_BYTES = 12;
const MAX_NAME_CHARS = 255;
const MAX_POINTERS = 32;
const MAX_RECORDS = 256;
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 28: 16 };

/**
 * Reads a DNS response message (RFC 1035 section 4). undefined: it is a query, or not a message with a question. Of one that
 * is cut short, the addresses up to there.
 */
export function parseDnsAnswer(message: Uint8Array): DnsAnswer | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) === 0 || view.getUint16(4) === 0) return undefined;
  const question = readName(message, HEADER_BYTES);
  if (question === undefined || question.end + 4 > message.length) return undefined;
  const rcode = flags & 15;
  return {
    name: question.name,
    type: view.getUint16(question.end),
    addresses: view.getUint16(4) === 1 ? readAddresses(message, view, question.end + 4) : [],
    rcode: RCODES[rcode] ?? `RCODE${rcode}`,
  };
}

function readAddresses(message: Uint8Array, view: DataView, start: number): string[] {
  const addresses: string[] = [];
  let at = start;
  for (let left = Math.min(view.getUint16(6), MAX_RECORDS); left > 0; left--) {
    const name_end = skipName(message, at);
    if (name_end === undefined || name_end + 10 > message.length) break;
    const type = view.getUint16(name_end);
    const data_bytes = view.getUint16(name_end + 8);
    at = name_end + 10 + data_bytes;
    if (at > message.length) break;
    if (data_bytes === ADDRESS_BYTES[type]) addresses.push(ipText(message.subarray(name_end + 10, at)));
  }
  return addresses;
}

/** Where the record goes on after a name, which a pointer ends. */
function skipName(message: Uint8Array, start: number): number | undefined {
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

function readName(message: Uint8Array, start: number): { name: string; end: number } | undefined {
  const end = skipName(message, start);
  const labels: string[] = [];
  let chars = 0;
  for (let at = start, pointers = 0; ; ) {
    const length = message[at];
    if (length === undefined || end === undefined) return undefined;
    if (length === 0) return { name: labels.join('.'), end };
    if (length >= 0xc0) {
      at = ((length & 0x3f) << 8) | (message[at + 1] ?? 0);
      if (++pointers > MAX_POINTERS) return undefined;
      continue;
    }
    const label = message.subarray(at + 1, at + 1 + length);
    chars += length + 1;
    if (length > 63 || label.length < length || chars > MAX_NAME_CHARS) return undefined;
    labels.push(Buffer.from(label).toString('latin1'));
    at += 1 + length;
  }
}
