import { webSocketApis } from '../../src/providers/websocket-apis.ts';
import { frame, MASK, TEXT } from '../protocol/websocket-bytes.ts';
import { watch } from './watched.ts';

export const UPGRADE = [
  'GET /v1/responses HTTP/1.1',
  'Host: api.openai.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Session-Id: s-1',
  '',
  '',
].join('\r\n');
export const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

/** A request of the client. */
export const ask = (fields: object = {}): Record<string, unknown> => ({
  type: 'response.create',
  model: 'gpt-5',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
  ...fields,
});

/** The events of a response that says `text` in two deltas. */
export function answer(id: string, text: string): Record<string, unknown>[] {
  const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
  const usage = { input_tokens: 10, output_tokens: 2 };
  return [
    { type: 'response.created', response: { id, model: 'gpt-5-1', status: 'in_progress' } },
    { type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } },
    { type: 'response.output_text.delta', output_index: 0, delta: text.slice(0, 2) },
    { type: 'response.output_text.delta', output_index: 0, delta: text.slice(2) },
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.completed', response: { id, status: 'completed', output: [message], usage } },
  ];
}

/** A connection that was upgraded, and whose two sides say JSON. */
export function open(extension = '', upgrade = UPGRADE, options: Record<string, unknown> = {}) {
  const watched = watch(options, [], webSocketApis);
  const connection = watched.connection(1n, { socket_id: 5n });
  connection.write(upgrade);
  connection.read(`${SWITCHED}${extension === '' ? '' : `Sec-WebSocket-Extensions: ${extension}\r\n`}\r\n`);
  const say = (message: unknown) => connection.write(frame(TEXT, JSON.stringify(message), { mask: MASK }));
  const hear = (message: unknown) => connection.read(frame(TEXT, JSON.stringify(message)));
  return { ...watched, ...connection, say, hear };
}
