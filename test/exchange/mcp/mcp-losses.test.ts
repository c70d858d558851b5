import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connected, request, response } from './mcp-watched.ts';

describe('what MCP says that we cannot keep', () => {
  it('reads a message as large as the configuration allows', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_server.say(request(1, 'tools/call', { name: 'a' }));
    to_client.say(response(1, { content: 'x'.repeat(17 * 2 ** 20) }));
    assert.ok((ended_mcp().at(-1)?.response_bytes ?? 0) > 17 * 2 ** 20);
  });

  it('counts what it leaves out of a batch that is too long', () => {
    const { to_server, counters } = connected();
    to_server.say(Array.from({ length: 1500 }, (_, id) => request(id, 'tools/list')));
    assert.deepEqual(counters.losses().at(0), ['exchange.mcp_batch_left_out', 500]);
  });
});
