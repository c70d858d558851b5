import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { anthropicMessages } from '../mock-llm/anthropic-messages.ts';
import { chooseEncoding, type Delivery, deliver } from '../mock-llm/delivery.ts';
import { openaiChat } from '../mock-llm/openai-chat.ts';
import { openaiResponses } from '../mock-llm/openai-responses.ts';
import { encodeEvent, type Scenario } from '../mock-llm/scenario.ts';
import { serveWebSockets } from '../mock-llm/websocket.ts';

/** What passed on one connection, as its client saw it, in the order in which it passed. */
export interface Recording {
  readonly name: string;
  readonly pieces: readonly RecordedPiece[];
}

export interface RecordedPiece {
  readonly direction: 'write' | 'read';
  readonly data: Uint8Array;
}

const apis = new Map([
  ['/v1/messages', anthropicMessages],
  ['/v1/chat/completions', openaiChat],
  ['/v1/responses', openaiResponses],
]);
const scenario: Scenario = {
  turns: [
    {
      reasoning: 'Let me see.',
      text: 'Zwölf Boxkämpfer 🥊',
      calls: [{ name: 'shell', arguments: { command: 'ls -l' } }],
    },
  ],
};
const delivery: Delivery = { piece_bytes: 0, pause_ms: 0, headers_first: false, encodings: ['br', 'gzip', 'zstd'] };
const TOOL = { name: 'shell', description: 'Runs a command', parameters: { type: 'object' } };

/** The texts of all answers of the recordings. */
export const ANSWER_TEXT = scenario.turns[0]?.text ?? '';
/** How every question of the recordings begins. */
export const QUESTION_TEXT = 'What is here? ';

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const path = request.url ?? '';
  const api = apis.get(path);
  const [turn = {}] = scenario.turns;
  if (api === undefined) {
    response.writeHead(404, { 'content-length': 2 }).end('{}');
    return;
  }
  const asked = api.read(JSON.parse(body), path);
  const told = api.answer(asked, turn, 1);
  const encoding = chooseEncoding(request.headers['accept-encoding'], delivery.encodings);
  response.writeHead(200, {
    'content-type': asked.stream ? 'text/event-stream' : 'application/json',
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  });
  const whole = asked.stream ? told.events.map(encodeEvent) : [JSON.stringify(told.body)];
  await deliver(
    response,
    whole.map((piece) => Buffer.from(piece)),
    { delivery, encoding, end: true },
  );
}

/** Two ends of a connection in memory, and what passes between them. */
function tap(): { client: Duplex; server: Duplex; pieces: RecordedPiece[] } {
  const [client, near] = duplexPair();
  const [far, server] = duplexPair();
  const pieces: RecordedPiece[] = [];
  near.on('data', (data: Buffer) => {
    pieces.push({ direction: 'write', data: Buffer.from(data) });
    far.write(data);
  });
  far.on('data', (data: Buffer) => {
    pieces.push({ direction: 'read', data: Buffer.from(data) });
    near.write(data);
  });
  near.on('end', () => far.end());
  far.on('end', () => near.end());
  for (const end of [client, near, far, server]) {
    end.on('error', () => undefined);
    Object.assign(end, {
      setNoDelay: () => end,
      setTimeout: () => end,
      setKeepAlive: () => end,
      ref: () => end,
      unref: () => end,
    });
  }
  return { client, server, pieces };
}

interface Asked {
  readonly path: string;
  readonly accept: string;
  readonly body: string;
}

/** Each API, streamed and not, in each encoding. */
function questions(): Asked[] {
  const asked: Asked[] = [];
  for (const path of apis.keys()) {
    for (const [index, accept] of ['identity', 'gzip', 'br', 'zstd'].entries()) {
      const content = QUESTION_TEXT + 'a'.repeat(index * 40);
      const said = path.endsWith('responses') ? { input: content } : { messages: [{ role: 'user', content }] };
      const tools = path.endsWith('completions')
        ? [{ type: 'function', function: TOOL }]
        : [{ type: 'function', ...TOOL }];
      asked.push({ path, accept, body: JSON.stringify({ model: 'm', stream: index % 2 === 0, tools, ...said }) });
    }
  }
  return asked;
}

async function recordHttp1(): Promise<Recording> {
  const { client, server, pieces } = tap();
  const serving = http.createServer((request, response) => void answer(request, response));
  serving.emit('connection', server);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  Object.assign(agent, { createConnection: () => client as Socket });
  for (const { path, accept, body } of questions()) {
    const headers = { host: 'llm.example', 'accept-encoding': accept, 'content-type': 'application/json' };
    const outgoing = http.request({ method: 'POST', path, agent, headers });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
  }
  agent.destroy();
  return { name: 'HTTP/1.1', pieces };
}

async function recordHttp2(): Promise<Recording> {
  const { client, server, pieces } = tap();
  const serving = http2.createServer((request, response) => {
    void answer(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  serving.emit('connection', server);
  const session = http2.connect('http://llm.example', { createConnection: () => client });
  session.on('error', () => undefined);
  await Promise.all(
    questions().map(async ({ path, accept, body }) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'accept-encoding': accept,
        'user-agent': 'a/1',
      });
      stream.end(body);
      stream.resume();
      await once(stream, 'end');
    }),
  );
  session.destroy();
  return { name: 'HTTP/2', pieces };
}

async function recordWebSocket(name: string, compression: PerMessageDeflateOptions | false): Promise<Recording> {
  const { client, server, pieces } = tap();
  const serving = http.createServer();
  serveWebSockets(serving as never, scenario, { compression }, () => undefined);
  serving.emit('connection', server);
  const socket = new WebSocket('ws://llm.example/v1/responses', {
    perMessageDeflate: compression,
    createConnection: () => client as Socket,
  });
  await once(socket, 'open');
  for (let count = 0; count < 3; count++) {
    socket.send(JSON.stringify({ type: 'response.create', model: 'm', input: QUESTION_TEXT, tools: [TOOL] }));
    for (let type = ''; type !== 'response.completed'; ) {
      const [data] = await once(socket, 'message');
      type = JSON.parse(String(data)).type;
    }
    socket.ping('still there?');
  }
  socket.close(1000, 'done');
  await once(socket, 'close');
  return { name, pieces };
}

/** What real clients and servers say to each other, recorded anew in each run. */
export async function recordTraffic(): Promise<readonly Recording[]> {
  return [
    await recordHttp1(),
    await recordHttp2(),
    await recordWebSocket('WebSocket', false),
    await recordWebSocket('WebSocket, compressed', { threshold: 0 }),
    await recordWebSocket('WebSocket, compressed one by one', {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    }),
  ];
}
