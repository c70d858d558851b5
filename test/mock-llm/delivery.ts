import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBrotliCompress, createGzip, createZstdCompress, type Gzip } from 'node:zlib';

export type Encoding = 'gzip' | 'br' | 'zstd';

export interface Delivery {
  /** Size of the pieces the plain body is written in; 0: a piece for each event. */
  readonly piece_bytes: number;
  readonly pause_ms: number;
  /** Send the headers alone, before the first piece; otherwise both leave in one write. */
  readonly headers_first: boolean;
  /** Used when the client accepts one of them, in this order. */
  readonly encodings: readonly Encoding[];
  /** Waited for after each piece; `count`: of this response so far. */
  readonly afterPiece?: (count: number) => Promise<void>;
}

export function chooseEncoding(accepted: string | undefined, offered: readonly Encoding[]): Encoding | undefined {
  const names = (accepted ?? '').split(',').map((entry) => entry.split(';')[0]?.trim());
  return offered.find((encoding) => names.includes(encoding));
}

const compressors = {
  gzip: () => createGzip(),
  br: () => createBrotliCompress(),
  zstd: () => createZstdCompress(),
} as const;

/**
 * Writes `pieces` to the client, compressed when `encoding` says so (flushed after every piece). `end` false leaves the
 * response open. Resolves with what was written in plain, or earlier when the client went away.
 */
export async function deliver(
  response: ServerResponse,
  pieces: Iterable<Buffer>,
  options: { readonly delivery: Delivery; readonly encoding: Encoding | undefined; readonly end: boolean },
): Promise<Buffer> {
  const written: Buffer[] = [];
  const compressor = options.encoding === undefined ? undefined : (compressors[options.encoding]() as Gzip);
  compressor?.on('data', (chunk: Buffer) => response.write(chunk));
  if (options.delivery.headers_first) {
    response.flushHeaders();
    await sleep(20);
  }
  for (const piece of pieces) {
    if (response.destroyed) return Buffer.concat(written);
    written.push(piece);
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('close', done);
        resolve();
      };
      response.once('close', done);
      if (compressor === undefined) response.write(piece, done);
      else {
        compressor.write(piece);
        compressor.flush(done);
      }
    });
    await options.delivery.afterPiece?.(written.length);
    if (options.delivery.pause_ms > 0) await sleep(options.delivery.pause_ms);
  }
  if (options.end && !response.destroyed) {
    if (compressor === undefined) response.end();
    else compressor.end().once('end', () => response.end());
  }
  return Buffer.concat(written);
}

export function* cut(body: Buffer, piece_bytes: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += piece_bytes) yield body.subarray(at, at + piece_bytes);
}
