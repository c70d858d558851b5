import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type RequestListener } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Certificate } from '../../mock-llm/certificate.ts';

/** What a fake endpoint does with one request: an HTTP or gRPC status, or no answer ever. */
export type Reaction = number | 'hang';

export interface FakeEndpoint {
  readonly url: string;
  /** One for each request, in their order. */
  readonly bodies: Buffer[];
  readonly headers: IncomingHttpHeaders[];
}

/** OTLP over HTTP on loopback: reacts to the n-th request as `reactions[n]` says, then with 200. */
export async function startHttpEndpoint(
  t: TestContext,
  reactions: readonly Reaction[] = [],
  certificate?: Certificate,
): Promise<FakeEndpoint> {
  const bodies: Buffer[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const answer: RequestListener = async (request, response) => {
    const reaction = reactions[headers.length] ?? 200;
    headers.push(request.headers);
    const body = Buffer.concat(await request.toArray());
    bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    if (reaction !== 'hang') response.writeHead(reaction).end();
  };
  const server = certificate === undefined ? http.createServer(answer) : https.createServer(certificate, answer);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: urlOf(server, certificate), bodies, headers };
}

function urlOf(server: Server, certificate: Certificate | undefined): string {
  return `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const OK = 0;
/** A length-prefixed empty message (gRPC over HTTP2, "Responses"). */
const EMPTY_MESSAGE = Buffer.from([0, 0, 0, 0, 0]);
const PREFIX_BYTES = 5;

/** The same over gRPC; reactions are gRPC status codes. */
export async function startGrpcEndpoint(
  t: TestContext,
  reactions: readonly Reaction[] = [],
  certificate?: Certificate,
): Promise<FakeEndpoint> {
  const bodies: Buffer[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = certificate === undefined ? http2.createServer() : http2.createSecureServer(certificate);
  server.on('session', (session) => sessions.add(session));
  server.on('stream', async (stream, requestHeaders) => {
    stream.on('error', () => {});
    const reaction = reactions[headers.length] ?? OK;
    headers.push(requestHeaders);
    const message = Buffer.concat(await stream.toArray());
    const is_compressed = message[0] === 1;
    bodies.push(is_compressed ? gunzipSync(message.subarray(PREFIX_BYTES)) : message.subarray(PREFIX_BYTES));
    if (reaction === 'hang') return;
    const status = { 'grpc-status': String(reaction) };
    if (reaction !== OK) {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(status));
    stream.end(EMPTY_MESSAGE);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { url: urlOf(server, certificate), bodies, headers };
}
