import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventChunk, jsonResponse, LAST_CHUNK, STREAM_HEAD, type WatchedConnection } from '../watched.ts';
import { INITIALIZE, INITIALIZED, notification, request, response, SERVER, watchMcp } from './mcp-watched.ts';

const SESSION = 'Mcp-Session-Id: s1';
const ACCEPTED = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n';
const call = (id: number, text: string) => request(id, 'tools/call', { name: 'echo', arguments: { text } });

function post(body: unknown, headers: readonly string[] = [], target = '/mcp'): string {
  const json = JSON.stringify(body);
  const head = [`POST ${target} HTTP/1.1`, 'Host: mcp.example:3001', 'Content-Type: application/json', ...headers];
  return `${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}

function get(target: string, headers: readonly string[] = []): string {
  return `${[`GET ${target} HTTP/1.1`, 'Host: mcp.example:3001', 'Accept: text/event-stream', ...headers].join('\r\n')}\r\n\r\n`;
}

/** A session of streamable HTTP that is set up. */
function connected() {
  const watched = watchMcp();
  const main = watched.connection(1n, { socket_id: 5n });
  main.write(post(INITIALIZE));
  main.read(STREAM_HEAD.replace('\r\n\r\n', `\r\n${SESSION}\r\n\r\n`));
  main.read(eventChunk(INITIALIZED));
  main.read(LAST_CHUNK);
  main.write(post(notification('notifications/initialized'), [SESSION, 'MCP-Protocol-Version: 2025-06-18']));
  main.read(ACCEPTED);
  return { ...watched, main };
}

function answer(on: WatchedConnection, message: unknown): void {
  on.read(STREAM_HEAD);
  on.read(eventChunk(message));
  on.read(LAST_CHUNK);
}

describe('MCP over HTTP', () => {
  it('tells what was asked in a session, with its id, version and server', () => {
    const { main, ended_mcp } = connected();
    main.write(post(call(1, 'hi'), [SESSION]));
    answer(main, response(1, { content: [] }));
    assert.deepEqual(
      ended_mcp().map(({ method, session_id, protocol_version }) => [method, session_id, protocol_version]),
      [
        ['initialize', 's1', '2025-03-26'],
        ['notifications/initialized', 's1', '2025-03-26'],
        ['tools/call', 's1', '2025-03-26'],
      ],
    );
    const last = ended_mcp().at(-1);
    assert.deepEqual([last?.tool_name, last?.arguments, last?.result], ['echo', { text: 'hi' }, { content: [] }]);
    assert.deepEqual([last?.server_address, last?.server_port, last?.transport], ['mcp.example', 3001, 'tcp']);
    assert.equal(last?.server_info?.name, 'files');
  });

  it('reads answers as JSON, compressed or not', () => {
    const { main, ended_mcp } = connected();
    main.write(post(call(1, 'hi'), [SESSION]));
    main.read(jsonResponse(response(1, { a: 1 })));
    main.write(post(call(2, 'ho'), [SESSION]));
    const packed = gzipSync(JSON.stringify(response(2, { a: 2 })));
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`;
    main.read(Buffer.concat([Buffer.from(head), packed]));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ result }) => result),
      [{ a: 1 }, { a: 2 }],
    );
  });

  it('hears what the server asks on the stream of a GET, and pairs the answer that is posted', () => {
    const { main, connection, ended_mcp } = connected();
    const stream = connection(2n);
    stream.write(get('/mcp', [SESSION]));
    stream.read(STREAM_HEAD);
    stream.read(eventChunk(request(0, 'elicitation/create', { message: 'Name?' })));
    main.write(post(response(0, { action: 'accept' }), [SESSION]));
    main.read(ACCEPTED);
    const last = ended_mcp().at(-1);
    assert.deepEqual(
      [last?.method, last?.sender, last?.result],
      ['elicitation/create', 'server', { action: 'accept' }],
    );
  });

  it('finds an answer on another stream when the first broke off', () => {
    const { main, connection, ended_mcp } = connected();
    main.write(post(call(1, 'hi'), [SESSION]));
    main.read(STREAM_HEAD);
    main.close();
    const stream = connection(2n);
    stream.write(get('/mcp', [SESSION, 'Last-Event-ID: 4']));
    stream.read(STREAM_HEAD);
    stream.read(eventChunk(response(1, { late: true })));
    assert.deepEqual(ended_mcp().at(-1)?.result, { late: true });
  });

  it('reads the older transport, where answers come on a stream that names the place to post to', () => {
    const { connection, ended_mcp } = watchMcp();
    const [stream, main] = [connection(1n), connection(2n)];
    stream.write(get('/sse'));
    stream.read(STREAM_HEAD);
    const event = (name: string, data: string) => {
      const text = `event: ${name}\ndata: ${data}\n\n`;
      stream.read(`${text.length.toString(16)}\r\n${text}\r\n`);
    };
    event('endpoint', '/messages?sessionId=9');
    for (const [asked, answered] of [
      [INITIALIZE, INITIALIZED],
      [call(1, 'hi'), response(1, { ok: 1 })],
    ]) {
      main.write(post(asked, [], '/messages?sessionId=9'));
      main.read('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nAccepted');
      event('message', JSON.stringify(answered));
    }
    assert.deepEqual(
      ended_mcp().map(({ method, result, server_info }) => [method, result !== undefined, server_info?.name]),
      [
        ['initialize', true, 'files'],
        ['tools/call', true, 'files'],
      ],
    );
  });

  it('keeps two sessions with one server apart that use the same ids', () => {
    const { connection, ended_mcp } = watchMcp();
    const both = [connection(1n), connection(2n)];
    for (const one of both) one.write(post(INITIALIZE));
    for (const [i, one] of both.entries()) {
      const message = response(0, { protocolVersion: '2025-06-18', serverInfo: { name: `s${i}` } });
      one.read(jsonResponse(message).toString().replace('\r\n', `\r\nMcp-Session-Id: id${i}\r\n`));
    }
    for (const [i, one] of both.entries()) one.write(post(call(1, `${i}`), [`Mcp-Session-Id: id${i}`]));
    for (const one of [...both].reverse()) answer(one, response(1));
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ arguments: sent, session_id, server_info }) => [sent, session_id, server_info?.name]),
      [
        [{ text: '1' }, 'id1', 's1'],
        [{ text: '0' }, 'id0', 's0'],
      ],
    );
  });

  it('tells what failed: with a status, or without an answer', () => {
    const { main, ended_mcp } = connected();
    main.write(post(call(1, 'a'), [SESSION]));
    main.read('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    main.write(post(call(2, 'b'), [SESSION]));
    main.close();
    assert.deepEqual(
      ended_mcp()
        .slice(2)
        .map(({ error }) => error?.type),
      ['404', 'no_response'],
    );
  });

  it('knows who serves a connection on this machine, also when it is accepted later', () => {
    const { main, mcp, event } = connected();
    const client_end = { family: 'ipv4', address: '127.0.0.1', port: 50_000 };
    const server_end = { family: 'ipv4', address: '127.0.0.1', port: 3001 };
    const open = { kind: 'net_open', fd: 3, transport: 'tcp', errno: 0 } as const;
    event({ ...open, operation: 'connect', socket_id: 5n, local: client_end, peer: server_end });
    main.write(post(call(1, 'a'), [SESSION]));
    assert.equal(mcp().at(-1)?.server_process, undefined);
    event({
      ...open,
      operation: 'accept',
      socket_id: 6n,
      local: server_end,
      peer: client_end,
      process: SERVER,
      pid: 9,
    });
    assert.deepEqual([mcp().at(-1)?.phase, mcp().at(-1)?.server_process], ['request', SERVER]);
  });

  it('names no process as the server that accepted an earlier connection from the same port, or one to another port', () => {
    const end = (port: number) => ({ family: 'ipv4', address: '127.0.0.1', port });
    const open = { kind: 'net_open', fd: 3, transport: 'tcp', errno: 0 } as const;
    const accepted = { ...open, operation: 'accept', socket_id: 6n, peer: end(50_000), process: SERVER, pid: 9 };
    const over = [
      { kind: 'net_io', socket_id: 6n, closed: true, process: SERVER, pid: 9 },
      { kind: 'process_exit', exit_code: 0, signal: 0, process: SERVER, pid: 9 },
      undefined,
    ] as const;
    for (const ended of over) {
      const { main, mcp, event } = connected();
      event({ ...accepted, local: end(ended === undefined ? 8000 : 3001) });
      if (ended !== undefined) event(ended);
      event({ ...open, operation: 'connect', socket_id: 5n, local: end(50_000), peer: end(3001) });
      main.write(post(call(1, 'a'), [SESSION]));
      assert.equal(mcp().at(-1)?.server_process, undefined);
    }
  });

  it('still knows who served a call whose connection the server closes first', () => {
    const end = (port: number) => ({ family: 'ipv4', address: '127.0.0.1', port });
    const { main, ended_mcp, event } = connected();
    const open = { kind: 'net_open', fd: 3, transport: 'tcp', errno: 0 } as const;
    const server = { socket_id: 6n, process: SERVER, pid: 9 };
    event({ ...open, operation: 'connect', socket_id: 5n, local: end(50_000), peer: end(3001) });
    event({ ...open, operation: 'accept', local: end(3001), peer: end(50_000), ...server });
    main.write(post(call(1, 'a'), [SESSION]));
    event({ kind: 'net_io', closed: true, ...server });
    main.read(jsonResponse(response(1)));
    assert.equal(ended_mcp().at(-1)?.server_process, SERVER);
  });

  it('takes no other JSON, and no other stream of events, for MCP', () => {
    const { connection, mcp } = watchMcp();
    const main = connection(1n);
    for (const body of [{ jsonrpc: '2.0', id: 1, method: 'eth_call' }, { events: ['"jsonrpc"'] }, 'text', null]) {
      main.write(post(body, [], '/rpc'));
      main.read(jsonResponse(response(1)));
    }
    main.write(get('/events'));
    answer(main, request(1, 'tools/call', { name: 'x' }));
    assert.deepEqual(mcp(), []);
  });
});
