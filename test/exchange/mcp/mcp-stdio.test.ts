import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { plainCuts, randomCuts } from '../../protocol/cuts.ts';
import {
  CLIENT,
  connected,
  failure,
  INITIALIZE,
  INITIALIZED,
  notification,
  request,
  response,
  SERVER,
  watchMcp,
} from './mcp-watched.ts';

describe('MCP over standard input and output', () => {
  it('tells each request when it is sent and when it is answered, with both sides', () => {
    const { to_server, to_client, mcp } = connected();
    to_server.say(request(1, 'tools/call', { name: 'read', arguments: { path: 'a' }, _meta: { traceparent: '00-x' } }));
    const asked = mcp().at(-1);
    to_client.say(response(1, { content: [{ type: 'text', text: 'A' }] }));
    const answered = mcp().at(-1);
    assert.deepEqual(
      [asked?.phase, asked?.method, asked?.tool_name, asked?.request_id],
      ['request', 'tools/call', 'read', '1'],
    );
    assert.deepEqual([asked?.arguments, asked?.traceparent], [{ path: 'a' }, '00-x']);
    assert.equal(answered?.call_id, asked?.call_id);
    assert.deepEqual([answered?.phase, answered?.result], ['end', { content: [{ type: 'text', text: 'A' }] }]);
    assert.deepEqual([answered?.client_process, answered?.server_process, answered?.process], [CLIENT, SERVER, CLIENT]);
    assert.deepEqual([answered?.client_info?.name, answered?.server_info?.name], ['demo', 'files']);
    assert.deepEqual([answered?.protocol_version, answered?.transport], ['2025-03-26', 'pipe']);
    assert.ok((answered?.end_ns ?? 0n) > (answered?.start_ns ?? 0n));
  });

  it('tells initialize with what it agreed on, and notifications by themselves', () => {
    const { ended_mcp } = connected();
    assert.deepEqual(
      ended_mcp().map(({ method, request_id, server_info, protocol_version }) => [
        method,
        request_id,
        server_info?.version,
        protocol_version,
      ]),
      [
        ['initialize', '0', '2', '2025-03-26'],
        ['notifications/initialized', undefined, '2', '2025-03-26'],
      ],
    );
  });

  it('learns who the server is when it reads, and says so at once', () => {
    const { pipe, mcp, event } = watchMcp();
    pipe(1n, CLIENT, undefined).say(INITIALIZE);
    assert.equal(mcp().at(-1)?.server_process, undefined);
    event({ kind: 'pipe_end', stream_id: 1n, state: 'reader', process: SERVER, pid: 9 });
    assert.deepEqual([mcp().at(-1)?.phase, mcp().at(-1)?.server_process], ['request', SERVER]);
  });

  it('pairs answers that come in another order, and ids that are text', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_server.say(request(1, 'tools/list'));
    to_server.say(request('1', 'prompts/get', { name: 'greet', arguments: { who: 'ann' } }));
    to_client.say(response('1', { messages: [] }));
    to_client.say(response(1, { tools: [] }));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ method, result, prompt_name }) => [method, result, prompt_name]),
      [
        ['prompts/get', { messages: [] }, 'greet'],
        ['tools/list', { tools: [] }, undefined],
      ],
    );
  });

  it('keeps servers of one client apart that use the same ids', () => {
    const { pipe, ended_mcp } = watchMcp();
    const servers = ['9:90', '10:100', '11:110'] as const;
    const pipes = servers.map((server, i) => [
      pipe(BigInt(2 * i), CLIENT, server),
      pipe(BigInt(2 * i + 1), server, CLIENT),
    ]);
    for (const [to_server] of pipes) to_server?.say(INITIALIZE);
    for (const [i, [, to_client]] of [...pipes.entries()].reverse())
      to_client?.say(response(0, { protocolVersion: '2025-06-18', serverInfo: { name: `s${i}` } }));
    assert.deepEqual(
      ended_mcp().map(({ server_process, server_info }) => [server_process, server_info?.name]),
      [...servers.entries()].reverse().map(([i, server]) => [server, `s${i}`]),
    );
  });

  it('reads what a client alone tells of a server that is not watched', () => {
    const { pipe, ended_mcp } = watchMcp();
    pipe(1n, CLIENT, undefined).say(INITIALIZE);
    pipe(2n, undefined, CLIENT).say(INITIALIZED);
    assert.deepEqual([ended_mcp()[0]?.server_info?.name, ended_mcp()[0]?.server_process], ['files', undefined]);
  });

  it('tells why a call failed', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_server.say(request(1, 'tools/call', { name: 'a' }));
    to_server.say(request(2, 'tools/call', { name: 'b' }));
    to_client.say(failure(1, -32602, 'Unknown tool'));
    to_client.say(response(2, { isError: true, content: [] }));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ error }) => error),
      [
        { type: '-32602', code: -32602, message: 'Unknown tool' },
        { type: 'tool_error', code: undefined, message: '' },
      ],
    );
  });

  it('tells what the server asks of the client', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_client.say(request(0, 'sampling/createMessage', { messages: [], maxTokens: 5 }));
    to_server.say(response(0, { role: 'assistant' }));
    const call = ended_mcp().at(-1);
    assert.deepEqual([call?.method, call?.sender, call?.process], ['sampling/createMessage', 'server', CLIENT]);
    assert.deepEqual([call?.arguments, call?.result], [{ messages: [], maxTokens: 5 }, { role: 'assistant' }]);
  });

  it('ends a cancelled request, and lets its late answer pass', () => {
    const { to_server, to_client, ended_mcp, counters } = connected();
    to_server.say(request(1, 'tools/call', { name: 'slow' }));
    to_server.say(notification('notifications/cancelled', { requestId: 1 }));
    to_client.say(response(1));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ method, error }) => [method, error?.type]),
      [
        ['notifications/cancelled', undefined],
        ['tools/call', 'cancelled'],
      ],
    );
    assert.equal(counters.get('exchange.mcp_orphan_responses'), 1);
  });

  it('counts progress and log messages on the call they are about', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_server.say(request(1, 'tools/call', { name: 'a', _meta: { progressToken: 'p' } }));
    to_server.say(request(2, 'tools/call', { name: 'b' }));
    for (let i = 0; i < 3; i++) to_client.say(notification('notifications/progress', { progressToken: 'p' }));
    to_client.say(notification('notifications/message', { level: 'info' }));
    to_client.say(response(1));
    to_client.say(response(2));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ notification_count }) => notification_count),
      [3, 1],
    );
  });

  it('ends what is open when the pipe is closed, the server exits, or watching ends', () => {
    const ends: ((one: ReturnType<typeof connected>) => void)[] = [
      ({ to_client }) => to_client.close(),
      ({ event }) => event({ kind: 'process_exit', process: SERVER, exit_code: 1, signal: 0 }),
      ({ stage }) => void stage.close?.(),
    ];
    for (const end of ends) {
      const one = connected();
      one.to_server.say(request(1, 'tools/call', { name: 'a' }));
      end(one);
      assert.deepEqual(
        one
          .ended_mcp()
          .slice(2)
          .map(({ error }) => error?.type),
        ['no_response'],
      );
    }
  });

  it('takes no other protocol for MCP, though it is JSON-RPC', () => {
    const others = [
      request(0, 'initialize', { processId: 1, rootUri: null, capabilities: {}, clientInfo: { name: 'editor' } }),
      request(0, 'initialize', { protocolVersion: 1, clientCapabilities: {} }),
      request(0, 'initialize', { clientInfo: { name: 'codex_vscode', version: '1' } }),
      request(0, 'textDocument/hover', {}),
      request(0, 'newConversation', {}),
    ];
    for (const first of others) {
      for (const frame of [
        (text: string) => `${text}\n`,
        (text: string) => `Content-Length: ${text.length}\r\n\r\n${text}`,
      ]) {
        const { pipe, mcp } = watchMcp();
        const to_server = pipe(1n, CLIENT, SERVER);
        const to_client = pipe(2n, SERVER, CLIENT);
        for (const message of [first, notification('initialized'), request(1, 'tools/list')])
          to_server.say(frame(JSON.stringify(message)));
        to_client.say(frame(JSON.stringify(response(0))));
        to_client.say(frame(JSON.stringify(response(1))));
        assert.deepEqual(mcp(), [], JSON.stringify(first));
      }
    }
  });

  it('goes on after a header that the server prints', () => {
    const { to_server, to_client, ended_mcp } = connected();
    to_client.say('Content-Length: 1000000\r\n\r\n');
    to_server.say(request(1, 'tools/list'));
    to_client.say(response(1, { tools: [] }));
    assert.deepEqual([ended_mcp().at(-1)?.result, ended_mcp().at(-1)?.error], [{ tools: [] }, undefined]);
  });

  it('ignores a pipe that begins like that of a language server, and counts it', () => {
    const { pipe, counters, mcp } = watchMcp();
    const to_server = pipe(1n, CLIENT, SERVER);
    to_server.say(`Content-Length: 3\r\n\r\n{}\n`);
    to_server.say(INITIALIZE);
    assert.deepEqual(mcp(), []);
    assert.equal(counters.get('exchange.framed_pipes'), 1);
  });

  it('reads a dialogue that it joins in the middle', () => {
    const { pipe, ended_mcp } = watchMcp();
    const to_server = pipe(1n, CLIENT, SERVER);
    const to_client = pipe(2n, SERVER, CLIENT);
    to_client.say(response(6));
    to_server.say(`arguments":{}}}\n${JSON.stringify(request(7, 'tools/call', { name: 'a' }))}\n`);
    to_client.say(response(7));
    assert.deepEqual(
      ended_mcp().map(({ request_id }) => request_id),
      ['7'],
    );
  });

  it('goes on after missing bytes', () => {
    const { to_server, to_client, ended_mcp, counters } = connected();
    to_server.say(JSON.stringify(request(1, 'tools/list')).slice(0, 20), 60);
    to_server.say('\n');
    to_server.say(request(2, 'tools/list'));
    to_client.say(response(2));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ request_id }) => request_id),
      ['2'],
    );
    assert.equal(counters.get('exchange.mcp_lost_bytes'), 60);
  });

  const stream = Buffer.from(
    [INITIALIZE, notification('notifications/initialized'), [request(1, 'tools/list'), request(2, 'ping')]]
      .map((message) => `${JSON.stringify(message)}\n`)
      .join(''),
  );
  const methods = (pieces: readonly Uint8Array[]) => {
    const { event, mcp } = watchMcp();
    let offset = 0n;
    for (const data of pieces) {
      event({ kind: 'plain_data', channel: 'pipe', stream_id: 1n, direction: 'write', offset, data, lost_bytes: 0 });
      offset += BigInt(data.length);
    }
    return mcp().map(({ method }) => method);
  };
  const expected = ['initialize', 'notifications/initialized', 'tools/list', 'ping'];
  for (const { name, pieces } of plainCuts(stream)) {
    it(`reads the same ${name}`, () => assert.deepEqual(methods(pieces), expected));
  }
  it('reads the same cut anywhere', () => {
    fc.assert(
      fc.property(randomCuts(stream), (pieces) => assert.deepEqual(methods(pieces), expected)),
      { numRuns: 50 },
    );
  });

  it('holds no more than it may, whatever is written', () => {
    const { to_server, ended_mcp, to_client, counters } = connected({ max_buffered_bytes: 10_000 });
    to_server.say('x'.repeat(50_000));
    to_server.say('\n');
    for (let id = 0; id < 3000; id++) to_server.say(request(id, 'tools/list'));
    to_client.say(response(2999));
    assert.equal(counters.get('exchange.mcp_messages_too_large'), 1);
    assert.equal(counters.get('exchange.mcp_calls_evicted'), 3000 - 1024);
    assert.equal(ended_mcp().at(-1)?.request_id, '2999');
  });
});
