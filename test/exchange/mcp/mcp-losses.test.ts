import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventChunk, jsonResponse, STREAM_HEAD } from '../watched.ts';
import {
  CLIENT,
  connected,
  INITIALIZE,
  INITIALIZED,
  notification,
  request,
  response,
  SERVER,
  watchMcp,
} from './mcp-watched.ts';

const TOOL_CALL = request(1, 'tools/call', { name: 'read' });
const LARGE = response(1, { content: 'x'.repeat(3000) });
const SESSION = 'Mcp-Session-Id: s1';

function post(body: unknown, headers: readonly string[] = []): string {
  const json = JSON.stringify(body);
  const head = ['POST /mcp HTTP/1.1', 'Host: mcp.example', 'Content-Type: application/json', ...headers];
  return `${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}

/** A session over HTTP. */
function overHttp(options: Record<string, unknown> = {}) {
  const watched = watchMcp(options);
  const main = watched.connection(1n);
  main.write(post(INITIALIZE));
  main.read(jsonResponse(INITIALIZED).toString().replace('\r\n', `\r\n${SESSION}\r\n`));
  return { ...watched, main };
}

/** How the tool's calls ended: in an error of that type, and with these gaps. */
function ends({ ended_mcp }: Pick<ReturnType<typeof watchMcp>, 'ended_mcp'>) {
  return ended_mcp()
    .filter(({ method }) => method === 'tools/call')
    .map(({ error, gaps }) => [error?.type, gaps.map(({ reason }) => reason)]);
}

describe('what MCP says that we cannot keep', () => {
  it('is no failure of the server: a response in a pipe whose bytes are lost', () => {
    const one = connected();
    one.to_server.say(TOOL_CALL);
    one.to_client.say(JSON.stringify(LARGE).slice(0, 100), 2000);
    one.to_client.say('\n');
    const lost_ns = one.now();
    one.to_server.say(request(2, 'tools/list'));
    one.to_client.say(response(2, { tools: [] }));
    void one.stage.close?.();
    assert.deepEqual(ends(one), [[undefined, ['lost_bytes']]]);
    assert.ok((one.ended_mcp().at(-1)?.end_ns ?? 0n) <= lost_ns);
    assert.deepEqual(one.ended_mcp().at(-2)?.gaps, []);
    assert.equal(one.counters.get('exchange.gap.lost_bytes'), 1);
  });

  it('is no failure of the server: a response in a pipe that is too large', () => {
    const one = connected({ max_body_bytes: 1000 });
    one.to_server.say(TOOL_CALL);
    one.to_client.say(LARGE);
    one.to_client.close();
    assert.deepEqual(ends(one), [[undefined, ['too_large']]]);
  });

  it('is no failure of the server though its pipe has answered nothing yet', () => {
    const one = watchMcp({ max_body_bytes: 1000 });
    one.pipe(1n, CLIENT, SERVER).say(TOOL_CALL);
    const to_client = one.pipe(2n, SERVER, CLIENT);
    to_client.say(notification('notifications/message', { data: 'x'.repeat(9) }).method);
    to_client.say('\n');
    to_client.say(LARGE);
    to_client.close();
    void one.stage.close?.();
    assert.deepEqual(ends(one), [[undefined, ['too_large']]]);
  });

  it('leaves a server that says nothing a failure, whatever is lost in the other direction', () => {
    const one = connected();
    one.to_server.say(TOOL_CALL);
    one.to_server.say('{', 50);
    one.to_client.close();
    assert.deepEqual(ends(one), [['no_response', []]]);
  });

  it('takes nothing from a call whose response comes after it', () => {
    const one = connected();
    one.to_server.say(TOOL_CALL);
    one.to_client.say('{"jsonrpc":"2.0","method":"notifications/mes', 50);
    one.to_client.say('\n');
    one.to_client.say(response(1));
    assert.deepEqual(ends(one), [[undefined, []]]);
  });

  it('is no failure of the server: a response over HTTP whose bytes are lost, or that is too large', () => {
    const answer = jsonResponse(LARGE);
    const lost = overHttp();
    lost.main.write(post(TOOL_CALL, [SESSION]));
    lost.main.read(answer.subarray(0, -50), 50);
    const headless = overHttp();
    headless.main.write(post(TOOL_CALL, [SESSION]));
    headless.main.read(answer.subarray(0, 20), answer.length - 20);
    headless.main.close();
    const large = overHttp({ max_body_bytes: 1000 });
    large.main.write(post(TOOL_CALL, [SESSION]));
    large.main.read(answer);
    assert.deepEqual([lost, headless, large].map(ends), [
      [[undefined, ['lost_bytes']]],
      [[undefined, ['lost_bytes']]],
      [[undefined, ['too_large']]],
    ]);
  });

  it('is no failure of the server: a response in a stream of events that has a gap', () => {
    const one = overHttp();
    one.main.write(post(TOOL_CALL, [SESSION]));
    one.main.read(STREAM_HEAD);
    const chunk = eventChunk(LARGE);
    one.main.read(chunk.slice(0, 60), chunk.length - 60);
    one.main.read('0\r\n\r\n');
    one.event({ kind: 'process_exit', exit_code: 0, signal: 0 });
    assert.deepEqual(ends(one), [[undefined, ['lost_bytes']]]);
  });

  it('is counted and told by its response: a request over HTTP that we could not read', () => {
    const whole = post(TOOL_CALL, [SESSION, 'Mcp-Method: tools/call']);
    const garbled = whole.replace('\r\n', '\r\nContent-Encoding: gzip\r\n');
    const gap = overHttp();
    gap.main.write(whole.slice(0, -9), 9);
    const undecoded = overHttp();
    undecoded.main.write(garbled);
    const large = overHttp({ max_body_bytes: 300 });
    large.main.write(post({ ...TOOL_CALL, params: 'x'.repeat(400) }, [SESSION, 'Mcp-Method: tools/call']));
    for (const { main, counters } of [gap, undecoded, large]) {
      main.read(jsonResponse(response(1)));
      assert.deepEqual(counters.losses().at(-1), ['exchange.mcp_requests_lost', 1]);
    }
    assert.deepEqual([gap, undecoded, large].map(ends), [
      [[undefined, ['lost_bytes']]],
      [[undefined, ['decompression']]],
      [[undefined, ['too_large']]],
    ]);
    assert.equal(gap.ended_mcp().at(-1)?.session_id, 's1');
  });

  it('is counted of no other JSON that is posted', () => {
    const { connection, counters, mcp } = watchMcp();
    const main = connection(1n);
    main.write(post({ text: 'hello' }).slice(0, -5), 5);
    main.read(jsonResponse({}));
    assert.deepEqual([mcp(), counters.get('exchange.mcp_requests_lost')], [[], 0]);
  });

  it('ends every call of a session that was given up, and is used again', () => {
    const { main, mcp, ended_mcp, event } = overHttp({ max_connections: 2 });
    for (const name of ['s2', 's3']) {
      main.write(post(INITIALIZE));
      main.read(jsonResponse(INITIALIZED).toString().replace('\r\n', `\r\nMcp-Session-Id: ${name}\r\n`));
    }
    main.write(post(TOOL_CALL, [SESSION]));
    event({ kind: 'process_exit', exit_code: 0, signal: 0 });
    const ended = new Set(ended_mcp().map(({ call_id }) => call_id));
    assert.deepEqual(
      mcp().filter(({ call_id }) => !ended.has(call_id)),
      [],
    );
  });

  it('is counted: a session whose name there is no room for', () => {
    const { main, counters } = overHttp({ max_connections: 1 });
    for (const name of ['s1', 's2', 's3']) {
      main.write(post(request(1, 'tools/list'), [SESSION]));
      main.read(jsonResponse(response(1)).toString().replace('\r\n', `\r\nMcp-Session-Id: ${name}\r\n`));
    }
    assert.deepEqual(counters.losses(), [['exchange.mcp_session_names_evicted', 2]]);
  });

  it('is no failure of the server where we stop following', () => {
    const pipes = connected({ max_connections: 2 });
    pipes.to_server.say(TOOL_CALL);
    for (const id of [3n, 4n]) pipes.pipe(id, CLIENT, undefined).say(INITIALIZE);
    const http = overHttp({ max_connections: 1 });
    http.main.write(post(TOOL_CALL, [SESSION]));
    http.connection(2n).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual([pipes, http].map(ends), [[[undefined, ['cut']]], [[undefined, ['cut']]]]);
  });

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
