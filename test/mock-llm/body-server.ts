import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { SecureVersion, TLSSocket } from 'node:tls';
import * as zlib from 'node:zlib';
import { createCertificate } from './certificate.ts';
import { cut } from './delivery.ts';
import { numberedWords } from './numbered-words.ts';
import { openaiChat } from './openai-chat.ts';
import { encodeEvent } from './scenario.ts';

export type BodyEncoding = 'identity' | 'gzip' | 'br' | 'zstd' | 'deflate';

/** How one request wants to be answered: the JSON in its `x-mock` header. */
export interface BodyCase {
  readonly name: string;
  readonly answer_bytes: number;
  readonly encoding: BodyEncoding;
  /** How HTTP/1.1 tells where the body ends. */
  readonly framing: 'length' | 'chunked' | 'close';
  /** Of the plain body, flushed one by one; 0: a piece for each event, or all in one. */
  readonly piece_bytes: number;
  /** `overloaded`: 529. `reset`: the connection is reset after half of the pieces. */
  readonly fault?: 'overloaded' | 'reset';
}

/** What was really asked and answered. */
export interface BodyExchange {
  readonly name: string;
  readonly http_version: string;
  readonly tls_version: string | null;
  readonly prompt: string;
  /** The text of the answer, and the bodies that it is in, in plain, as far as they were written. */
  readonly text: string;
  readonly written: string;
}

export interface BodyServer {
  readonly url: string;
  readonly authority_path: string;
  readonly exchanges: readonly BodyExchange[];
  close(): void;
}

const compressors = {
  gzip: () => zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH }),
  deflate: () => zlib.createDeflate({ flush: zlib.constants.Z_SYNC_FLUSH }),
  br: () =>
    zlib.createBrotliCompress({
      flush: zlib.constants.BROTLI_OPERATION_FLUSH,
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 },
    }),
  zstd: () => zlib.createZstdCompress({ flush: zlib.constants.ZSTD_e_flush }),
};
const decompress: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: (body) => zlib.gunzipSync(body),
  zstd: (body) => zlib.zstdDecompressSync(body),
};
const OVERLOADED = 529;

/** Chat Completions over HTTP/1.1 and HTTP/2, with bodies of any size, encoding and cut that a request wishes for. */
export async function startBodyServer(tls_version: SecureVersion): Promise<BodyServer> {
  const folder = mkdtempSync(join(tmpdir(), 'body-server-'));
  const { key, cert, authority_path } = createCertificate(folder);
  const exchanges: BodyExchange[] = [];
  const sockets = new Set<Socket>();
  const server = createSecureServer({ key, cert, allowHTTP1: true, minVersion: tls_version, maxVersion: tls_version });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const wish = JSON.parse(String(request.headers['x-mock'])) as BodyCase;
    const body = await buffer(request);
    const asked = decompress[String(request.headers['content-encoding'])]?.(body) ?? body;
    const question = openaiChat.read(JSON.parse(asked.toString('utf8')), '/v1/chat/completions');
    const text = numberedWords(wish.answer_bytes);
    const error = { status: OVERLOADED, type: 'overloaded_error', message: numberedWords(200) };
    const told = openaiChat.answer(question, { text }, 0);
    const named = (json: string) => json.replaceAll('chatcmpl-0', wish.name);
    const is_stream = question.stream && wish.fault !== 'overloaded';
    const events = told.events.map((event) => Buffer.from(named(encodeEvent(event))));
    const json = JSON.stringify(wish.fault === 'overloaded' ? openaiChat.errorBody(error) : told.body);
    const plain = is_stream ? Buffer.concat(events) : Buffer.from(named(json));
    const pieces = wish.piece_bytes > 0 ? [...cut(plain, wish.piece_bytes)] : is_stream ? events : [plain];
    const sent = wish.fault === 'reset' ? pieces.slice(0, pieces.length >> 1) : pieces;
    const log: Buffer[] = [];
    const finish = (): void => {
      exchanges.push({
        name: wish.name,
        http_version: request.httpVersion,
        tls_version: tlsVersionOf(request),
        prompt: question.prompt,
        text,
        written: Buffer.concat(log).toString('utf8'),
      });
    };
    await deliver(request, response, wish, is_stream, sent, log);
    finish();
    if (wish.fault === 'reset') {
      // What was written has to be read before the connection is gone.
      await new Promise((resolve) => setTimeout(resolve, 100));
      request.socket.destroy();
    }
  };
  server.on('request', (request, response) => {
    response.on('error', () => undefined);
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse).catch(() =>
      request.socket.destroy(),
    );
  });
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority_path,
    exchanges,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An HTTP/2 request hides its socket. */
function tlsVersionOf(request: IncomingMessage): string | null {
  const { stream } = request as unknown as { stream?: { session?: { socket: TLSSocket } } };
  return (stream?.session?.socket ?? (request.socket as TLSSocket)).getProtocol();
}

async function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  { framing, encoding, fault }: BodyCase,
  is_stream: boolean,
  pieces: readonly Buffer[],
  log: Buffer[],
): Promise<void> {
  const is_http1 = request.httpVersionMajor === 1;
  const headers: Record<string, string | number> = {
    'content-type': is_stream ? 'text/event-stream; charset=utf-8' : 'application/json',
  };
  if (encoding !== 'identity') headers['content-encoding'] = encoding;
  if (is_http1 && framing === 'close') {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    headers.connection = 'close';
  }
  const compressor = encoding === 'identity' ? undefined : compressors[encoding]();
  const flushed: Buffer[] = [];
  compressor?.on('data', (chunk: Buffer) => flushed.push(chunk));
  const encode = async (piece: Buffer): Promise<Buffer> => {
    if (compressor === undefined) return piece;
    await new Promise<void>((resolve) => compressor.write(piece, () => resolve()));
    return Buffer.concat(flushed.splice(0));
  };
  const rest = async (): Promise<Buffer> => {
    if (compressor === undefined || fault === 'reset') return Buffer.alloc(0);
    compressor.end();
    await once(compressor, 'end');
    return Buffer.concat(flushed.splice(0));
  };
  const write = (data: Buffer): Promise<void> =>
    new Promise((resolve) => {
      if (data.length === 0 || response.destroyed) resolve();
      else {
        response.once('close', resolve);
        response.write(data, () => {
          response.off('close', resolve);
          resolve();
        });
      }
    });
  const status = fault === 'overloaded' ? OVERLOADED : 200;
  if (framing === 'length') {
    const whole = Buffer.concat([...(await Promise.all(pieces.map(encode))), await rest()]);
    response.writeHead(status, { ...headers, 'content-length': whole.length });
    log.push(...pieces);
    response.end(whole);
    return;
  }
  response.writeHead(status, headers);
  for (const piece of pieces) {
    if (response.destroyed) return;
    await write(await encode(piece));
    log.push(piece);
  }
  await write(await rest());
  if (fault !== 'reset') response.end();
}
