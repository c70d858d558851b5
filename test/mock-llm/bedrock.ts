import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsEvent, awsException } from '../protocol/aws-event.ts';
import { createCertificate } from './certificate.ts';
import type { MockLlm } from './server.ts';

export interface MockBedrockOptions {
  readonly http2: boolean;
  /** The first answer calls `shell` with it. */
  readonly command: string;
  /** End the second answer in the middle, with this exception. */
  readonly exception?: string;
}

const USAGE = { inputTokens: 100, outputTokens: 20, totalTokens: 160, cacheReadInputTokens: 40 };
const ANSWER = 'All is read.';

/** An HTTPS server on loopback that answers as Amazon Bedrock does: a tool call first, then a text. */
export async function startMockBedrock(options: MockBedrockOptions): Promise<MockLlm> {
  const folder = mkdtempSync(join(tmpdir(), 'mock-bedrock-'));
  const { key, cert, authority_path } = createCertificate(folder);
  const server = options.http2 ? (createSecureServer({ key, cert }) as unknown as Server) : createServer({ key, cert });
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    response.on('error', () => undefined);
    answer(request, response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    authority_path,
    exchanges: [],
    websocket_exchanges: [],
    close() {
      for (const socket of sockets) socket.destroy();
      rmSync(folder, { recursive: true, force: true });
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: MockBedrockOptions): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const asked = Buffer.concat(parts).toString('utf8');
  const method = request.url?.split('/').at(-1) ?? '';
  if (method === 'converse') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(converseAnswer(asked, options.command)));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
  const is_converse = method === 'converse-stream';
  for (const event of is_converse ? converseEvents(asked, options) : invokeEvents()) {
    await new Promise<void>((resolve) => response.write(event, () => resolve()));
  }
  response.end();
}

function converseAnswer(asked: string, command: string) {
  const call = { toolUse: { toolUseId: 'tooluse_1', name: 'shell', input: { command } } };
  const is_first = !asked.includes('toolResult');
  const content = is_first ? [{ text: 'I look.' }, call] : [{ text: ANSWER }];
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: is_first ? 'tool_use' : 'end_turn',
    usage: USAGE,
    metrics: { latencyMs: 1 },
  };
}

function converseEvents(asked: string, { command, exception }: MockBedrockOptions): readonly Buffer[] {
  const is_first = !asked.includes('toolResult');
  const delta = (contentBlockIndex: number, value: unknown) =>
    awsEvent('contentBlockDelta', { contentBlockIndex, delta: value, p: 'abcdefgh' });
  const input = JSON.stringify({ command });
  const texts = is_first ? ['I ', 'look.'] : ['All ', 'is read.'];
  const begun = [awsEvent('messageStart', { role: 'assistant' }), ...texts.map((text) => delta(0, { text }))];
  if (exception !== undefined && !is_first) return [...begun, awsException(exception, 'The model is tired.')];
  const toolUse = { toolUseId: 'tooluse_1', name: 'shell' };
  const call = [
    awsEvent('contentBlockStart', { contentBlockIndex: 1, start: { toolUse } }),
    delta(1, { toolUse: { input: input.slice(0, 7) } }),
    delta(1, { toolUse: { input: input.slice(7) } }),
    awsEvent('contentBlockStop', { contentBlockIndex: 1 }),
  ];
  return [
    ...begun,
    awsEvent('contentBlockStop', { contentBlockIndex: 0 }),
    ...(is_first ? call : []),
    awsEvent('messageStop', { stopReason: is_first ? 'tool_use' : 'end_turn' }),
    awsEvent('metadata', { usage: USAGE, metrics: { latencyMs: 1 } }),
  ];
}

function invokeEvents(): readonly Buffer[] {
  const metrics = { inputTokenCount: 100, outputTokenCount: 20, invocationLatency: 1, firstByteLatency: 1 };
  const pieces = [
    { generation: 'All ', prompt_token_count: 100, generation_token_count: 1, stop_reason: null },
    { generation: 'is read.', prompt_token_count: null, generation_token_count: 20, stop_reason: 'stop' },
    { generation: '', stop_reason: 'stop', 'amazon-bedrock-invocationMetrics': metrics },
  ];
  return pieces.map((piece) => awsEvent('chunk', { bytes: Buffer.from(JSON.stringify(piece)).toString('base64') }));
}
