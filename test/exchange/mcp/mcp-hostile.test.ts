import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CLIENT,
  failure,
  INITIALIZE,
  INITIALIZED,
  notification,
  request,
  response,
  SERVER,
  watchMcp,
} from './mcp-watched.ts';

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const MESSAGES: readonly unknown[] = [
  INITIALIZE,
  INITIALIZED,
  request(1, 'tools/call', { name: 'a', arguments: { __proto__: null, constructor: 1 } }),
  request(1, 'tools/call', []),
  request('1', 'ping'),
  response(1),
  response('1', null),
  failure(1, 1e300, 'x'),
  { jsonrpc: '2.0', id: 1, error: 'text' },
  { jsonrpc: '2.0', id: null, method: 'tools/call', params: 7 },
  { jsonrpc: '2.0', id: 1.5, method: '__proto__' },
  notification('notifications/cancelled', { requestId: {} }),
  notification('notifications/cancelled', { requestId: 1 }),
  notification('notifications/progress', { progressToken: 1 }),
  [request(2, 'tools/list'), response(2), 7, null, []],
];
const message = fc.constantFrom(...MESSAGES).map((value) => `${JSON.stringify(value)}\n`);
const bytes = fc.oneof(
  message,
  fc.tuple(message, fc.nat(80), fc.nat(80)).map(([text, from, to]) => text.slice(0, from) + text.slice(to)),
  fc.constantFrom('\n', 'Content-Length: 9\r\n\r\n', deep(20_000), '{"jsonrpc":"2.0","id":3,"result":'),
);

describe('whatever is written to pipes and connections', () => {
  it('fails nothing, ends every call once, and leaves nothing held', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), bytes, fc.constantFrom(0, 0, 0, 5)), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (story) => {
        const { pipe, connection, mcp, stage } = watchMcp({ max_connections: 4, max_buffered_bytes: 4000 });
        const pipes = [pipe(1n, CLIENT, SERVER), pipe(2n, SERVER, CLIENT), pipe(3n, undefined, CLIENT)];
        const http = connection(9n);
        for (const [where, text, lost_bytes] of story) {
          if (where < 3) pipes[where]?.say(text, lost_bytes);
          else if (where === 3) pipes[text.length % 3]?.close();
          else if (where === 4) {
            http.write(
              `POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
            );
          } else
            http.read(
              `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
              lost_bytes,
            );
        }
        void stage.close?.();
        const ended = mcp()
          .filter(({ phase }) => phase === 'end')
          .map(({ call_id }) => call_id);
        assert.equal(new Set(ended).size, ended.length);
        for (const { call_id } of mcp()) assert.ok(ended.includes(call_id), `${call_id} ends`);
      }),
      { numRuns: 300 },
    );
  });

  it('is cut where it is too deep', () => {
    const { pipe, mcp } = watchMcp();
    const to_server = pipe(1n, CLIENT, SERVER);
    to_server.say(INITIALIZE);
    to_server.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":${deep(50_000)}}}\n`);
    assert.doesNotThrow(() => JSON.stringify(mcp().at(-1)?.arguments));
    assert.equal(mcp().at(-1)?.tool_name, 'a');
  });
});
