import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  /** Masked with this key, as a client does. */
  readonly mask?: readonly [number, number, number, number];
}

export const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;
export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** One frame (RFC 6455 section 5.2). */
export function frame(opcode: number, payload: Uint8Array | string, options: FrameOptions = {}): Buffer {
  const data = Buffer.from(payload as string);
  const { fin = true, rsv1 = false, mask } = options;
  const masked = mask === undefined ? 0 : 128;
  const head = [(fin ? 128 : 0) | (rsv1 ? 64 : 0) | opcode];
  if (data.length < 126) head.push(masked | data.length);
  else if (data.length < 65536) head.push(masked | 126, data.length >> 8, data.length & 255);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(data.length));
    head.push(masked | 127, ...length);
  }
  if (mask !== undefined) {
    head.push(...mask);
    for (const [at, byte] of data.entries()) data[at] = byte ^ (mask[at & 3] as number);
  }
  return Buffer.concat([Buffer.from(head), data]);
}

/** A close frame with a code. */
export function closeFrame(code: number, reason: string, options: FrameOptions = {}): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
  return frame(CLOSE, payload, options);
}

/** Compresses messages one after the other (RFC 7692 section 7.2.1); each refers to those before it if it `keeps_context`. */
export function createDeflater(keeps_context: boolean): (text: string) => Promise<Buffer> {
  if (!keeps_context) {
    return async (text) => deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  }
  const stream = createDeflateRaw();
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return async (text) => {
    stream.write(text);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    return Buffer.concat(pieces.splice(0)).subarray(0, -4);
  };
}
