export interface TlsClientHello {
  /** The name the client asks for (RFC 6066 section 3), lower case. */
  readonly server_name: string | undefined;
  /** The protocols it offers (RFC 7301), in its order. */
  readonly alpn: readonly string[];
}

const RECORD_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const MAX_RECORDS = 16;
const MAX_NAME_CHARS = 255;

/** Reads big-endian fields until the bytes run out: from then on everything is 0 or empty. */
class Fields {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#position;
  }

  uint(width: number): number {
    let value = 0;
    for (const byte of this.take(width)) value = value * 256 + byte;
    return value;
  }

  take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += taken.length;
    return taken;
  }

  /** A field that begins with its own length, `width` bytes wide. */
  vector(width: number): Fields {
    return new Fields(this.take(this.uint(width)));
  }
}

/**
 * Reads the first bytes a TLS client sends (RFC 8446 section 4.1.2). undefined: they are no ClientHello. Of one that is cut
 * short, what there is.
 */
export function parseTlsClientHello(bytes: Uint8Array): TlsClientHello | undefined {
  const handshake = new Fields(handshakeBytes(bytes));
  if (handshake.left < 4 || handshake.uint(1) !== CLIENT_HELLO) return undefined;
  const hello = handshake.vector(3);
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  const extensions = hello.vector(2);
  let server_name: string | undefined;
  let alpn: string[] = [];
  while (extensions.left >= 4) {
    const type = extensions.uint(2);
    const length = extensions.uint(2);
    if (extensions.left < length) break;
    const extension = new Fields(extensions.take(length));
    if (type === EXTENSION_SERVER_NAME) server_name = readServerName(extension);
    else if (type === EXTENSION_ALPN) alpn = readAlpn(extension);
  }
  return { server_name, alpn };
}

/** The handshake messages of consecutive records, joined (RFC 8446 section 5.1). */
function handshakeBytes(bytes: Uint8Array): Uint8Array {
  const records = new Fields(bytes);
  const fragments: Uint8Array[] = [];
  while (records.left > 5 && fragments.length < MAX_RECORDS && records.uint(1) === RECORD_HANDSHAKE) {
    if (records.uint(1) !== 3) break;
    records.take(1);
    fragments.push(records.take(records.uint(2)));
  }
  return fragments.length === 1 ? (fragments[0] as Uint8Array) : Buffer.concat(fragments);
}

function readServerName(extension: Fields): string | undefined {
  const names = extension.vector(2);
  while (names.left > 3) {
    const type = names.uint(1);
    const name = Buffer.from(names.take(names.uint(2))).toString('latin1');
    if (type === 0 && name.length <= MAX_NAME_CHARS && /^[\w.-]+$/.test(name)) return name.toLowerCase();
  }
  return undefined;
}

function readAlpn(extension: Fields): string[] {
  const protocols: string[] = [];
  const list = extension.vector(2);
  while (list.left > 1) protocols.push(Buffer.from(list.take(list.uint(1))).toString('latin1'));
  return protocols;
}
