import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createPlainHttp2Server, createSecureServer } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anthropicMessages } from './anthropic-messages.ts';
import { createCertificate } from './certificate.ts';
import { chooseEncoding, cut, type Delivery, deliver, type Encoding } from './delivery.ts';
import { geminiGenerate } from './gemini-generate.ts';
import { ollamaChat } from './ollama-chat.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import { openaiResponses } from './openai-responses.ts';
import { type Api, encodeEvent, type Scenario, type ScenarioUsage } from './scenario.ts';
import { type MockWebSocketExchange, type MockWebSocketOptions, serveWebSockets } from './websocket.ts';

const apis: readonly Api[] = [
  anthropicMessages,
  geminiGenerate,
  ollamaChat,
  openaiChat,
  openaiResponses,
  openaiEmbeddings,
];

export interface MockLlmOptions extends Partial<Delivery> {
  readonly scenario: Scenario;
  /** Offer HTTP/2 before HTTP/1.1. */
  readonly http2?: boolean;
  /** Also over WebSocket. */
  readonly websocket?: MockWebSocketOptions;
  /** Without TLS; with `http2`, clients have to know that beforehand. */
  readonly plain?: boolean;
  /** Listen on this unix socket, not on a port. */
  readonly socket_path?: string;
  /** Whose certificate it has too. */
  readonly hosts?: readonly string[];
  /** Default: any that is free. */
  readonly port?: number;
  /** Gets every exchange when it ends. */
  readonly onExchange?: (exchange: MockExchange) => void;
}

/** The truth about one request and its answer. Bodies are plain, as sent before compression. */
export interface MockExchange {
  readonly number: number;
  readonly path: string;
  readonly connection: number;
  readonly turn: number;
  readonly model: string;
  readonly stream: boolean;
  readonly status: number;
  readonly encoding: Encoding | undefined;
  readonly response_id: string;
  readonly usage: ScenarioUsage | undefined;
  readonly call_ids: readonly string[];
  readonly request_body: Buffer;
  readonly response_body: Buffer;
  /** False: cut off, held, or the client went away. */
  readonly complete: boolean;
}

export interface MockLlm {
  /** `https://127.0.0.1:PORT`, or `http:` without TLS */
  readonly url: string;
  readonly port: number;
  /** PEM file that clients must trust: NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, curl --cacert. */
  readonly authority_path: string;
  /** What was exchanged so far, in the order of the requests. */
  readonly exchanges: readonly MockExchange[];
  /** The same of WebSockets. */
  readonly websocket_exchanges: readonly MockWebSocketExchange[];
  close(): Promise<void>;
}

/**
 * Starts an HTTPS server on loopback that speaks as LLM APIs do: Anthropic Messages, OpenAI Chat Completions, Responses
 * and embeddings, Gemini generateContent. Any GET is answered with a small JSON document.
 */
export async function startMockLlm(options: MockLlmOptions): Promise<MockLlm> {
  const folder = mkdtempSync(join(tmpdir(), 'mock-llm-'));
  const certificate = createCertificate(folder, options.hosts);
  const delivery: Delivery = { piece_bytes: 0, pause_ms: 0, headers_first: false, encodings: [], ...options };
  const exchanges: MockExchange[] = [];
  const connections = new WeakMap<Socket, number>();
  let connection_count = 0;
  let request_count = 0;

  const { key, cert } = certificate;
  // Its compatibility interface is the one of node:https.
  const server = options.plain
    ? ((options.http2 ? createPlainHttp2Server() : createPlainServer({ keepAliveTimeout: 60_000 })) as Server)
    : options.http2
      ? (createSecureServer({ key, cert, allowHTTP1: true }) as unknown as Server)
      : createServer({ key, cert, keepAliveTimeout: 60_000 });
  const sockets = new Set<Socket>();
  server.on(options.plain ? 'connection' : 'secureConnection', (socket) => {
    connections.set(socket, ++connection_count);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    response.on('error', () => undefined);
    handle(request, response).catch(() => response.destroy());
  });
  server.on('tlsClientError', () => undefined);
  const websocket_exchanges: MockWebSocketExchange[] = [];
  if (options.websocket !== undefined) {
    serveWebSockets(server, options.scenario, options.websocket, (exchange) => websocket_exchanges.push(exchange));
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = ++request_count;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const request_body = Buffer.concat(parts);
    const path = request.url ?? '/';
    const api = apis.find(({ path: wanted }) => {
      const [name = ''] = path.split('?');
      return typeof wanted === 'string' ? wanted === name : wanted.test(name);
    });
    if (api === undefined || request.method !== 'POST') {
      response.writeHead(request.method === 'GET' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ path, status: 'healthy' }));
      return;
    }
    const asked = api.read(JSON.parse(request_body.toString('utf8')), path);
    const { turns } = options.scenario;
    const turn = turns[Math.min(asked.turn, turns.length - 1)] ?? {};
    const answer = api.answer(asked, turn, number);
    const status = turn.error?.status ?? 200;
    const encoding = chooseEncoding(request.headers['accept-encoding'], delivery.encodings);
    const streamed = asked.stream && turn.error === undefined;

    response.writeHead(status, {
      'content-type': streamed ? (api.stream_type ?? 'text/event-stream; charset=utf-8') : 'application/json',
      'x-request-id': `req_${number}`,
      ...(encoding === undefined ? {} : { 'content-encoding': encoding, vary: 'accept-encoding' }),
    });
    const encode = api.encodeEvent ?? encodeEvent;
    const events = answer.events.slice(0, turn.fault?.after_events);
    if (turn.fault?.kind === 'error_event') events.push(answer.error_event);
    const whole = streamed
      ? Buffer.from(events.map(encode).join(''))
      : Buffer.from(JSON.stringify(turn.error === undefined ? answer.body : api.errorBody(turn.error)));
    const body = turn.fault !== undefined && !streamed ? whole.subarray(0, whole.length >> 1) : whole;
    const pieces =
      delivery.piece_bytes > 0
        ? cut(body, delivery.piece_bytes)
        : streamed
          ? events.map((event) => Buffer.from(encode(event)))
          : [body];
    const end = turn.fault === undefined || turn.fault.kind === 'error_event';
    const response_body = await deliver(response, pieces, { delivery, encoding, end });
    if (turn.fault?.kind === 'disconnect') request.socket.destroy();

    const exchange: MockExchange = {
      number,
      path,
      connection: connections.get(request.socket) ?? 0,
      turn: asked.turn,
      model: asked.model,
      stream: asked.stream,
      status,
      encoding,
      response_id: answer.id,
      usage: turn.error === undefined ? turn.usage : undefined,
      call_ids: callIds(answer.body),
      request_body,
      response_body,
      complete: end && response_body.length === body.length,
    };
    exchanges.push(exchange);
    options.onExchange?.(exchange);
  }

  const where =
    options.socket_path === undefined ? { port: options.port ?? 0, host: '127.0.0.1' } : { path: options.socket_path };
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const port = options.socket_path === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    url: `${options.plain ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    authority_path: certificate.authority_path,
    exchanges,
    websocket_exchanges,
    close() {
      for (const socket of sockets) socket.destroy();
      rmSync(folder, { recursive: true, force: true });
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** The ids of the tool calls in a plain answer of any of the APIs. */
function callIds(body: Readonly<Record<string, unknown>>): string[] {
  const found = JSON.stringify(body).matchAll(/"(?:id|call_id)":"((?:call|toolu)_\d+_\d+)"/g);
  return [...new Set([...found].map((match) => match[1] ?? ''))];
}
