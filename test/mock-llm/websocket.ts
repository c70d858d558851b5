import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { type PerMessageDeflateOptions, type RawData, type WebSocket, WebSocketServer } from 'ws';
import { openaiResponses } from './openai-responses.ts';
import type { Scenario } from './scenario.ts';

export interface MockWebSocketOptions {
  /** Of messages; false: none are compressed. */
  readonly compression: PerMessageDeflateOptions | false;
  /** Answers an upgrade with 426. */
  readonly refused?: boolean;
}

/** The truth about one `response.create` and the events that answered it, each in plain. */
export interface MockWebSocketExchange {
  readonly number: number;
  readonly turn: number;
  readonly response_id: string;
  readonly request_body: Buffer;
  readonly events: readonly string[];
  /** False: cut off, held, or the client went away. */
  readonly complete: boolean;
}

const INTERNAL_ERROR = 1011;

/** Serves `/v1/responses` over WebSocket, as OpenAI does: one response at a time, its events as messages. */
export function serveWebSockets(
  server: Server,
  scenario: Scenario,
  options: MockWebSocketOptions,
  onExchange: (exchange: MockWebSocketExchange) => void,
): void {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: options.compression, maxPayload: 2 ** 27 });
  let count = 0;

  const answer = async (socket: WebSocket, data: RawData): Promise<void> => {
    const request_body = data as Buffer;
    const asked = openaiResponses.read(JSON.parse(request_body.toString('utf8')), '/v1/responses');
    if (asked.json.type !== 'response.create') return;
    const number = ++count;
    const turn = scenario.turns[Math.min(asked.turn, scenario.turns.length - 1)] ?? {};
    const warm_up = asked.json.generate === false;
    // What follows a warm-up asks for the same turn.
    const answered = warm_up ? { ...asked, turn: asked.turn - 1 } : asked;
    const { id, events, error_event } = openaiResponses.answer(answered, turn, number);
    const sent: string[] = [];
    const all = warm_up ? warmedUp(events) : events.slice(0, turn.fault?.after_events);
    if (turn.fault?.kind === 'error_event') all.push(error_event);
    for (const { data: text } of all) {
      await new Promise<void>((resolve) => socket.send(text, () => resolve()));
      sent.push(text);
    }
    if (turn.fault?.kind === 'disconnect') socket.terminate();
    if (turn.fault?.kind === 'close') socket.close(INTERNAL_ERROR, 'mock failure');
    const complete = turn.fault === undefined || turn.fault.kind === 'error_event';
    onExchange({ number, turn: asked.turn, response_id: id, request_body, events: sent, complete });
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (options.refused) {
      socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on('error', () => undefined);
      accepted.on('message', (data) => answer(accepted, data).catch(() => accepted.terminate()));
    });
  });
}

/** The first event, and the last without any output. */
function warmedUp<Event extends { readonly data: string }>(events: readonly Event[]): Event[] {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) return [];
  const told = JSON.parse(last.data) as { response: object };
  return [first, { ...last, data: JSON.stringify({ ...told, response: { ...told.response, output: [] } }) }];
}
