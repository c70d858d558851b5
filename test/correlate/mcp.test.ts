import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSameTool, matchMcpTool } from '../../src/correlate/mcp-match.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import type { Actor } from './activities.ts';
import { answerMcp, sendMcp } from './mcp-scene.ts';
import { result, Scene, type Tool, user } from './scene.ts';

const READ: Tool = ['a', 'mcp__files__read', { path: 'notes.txt' }];
const SENT = { tool_name: 'read', arguments: { path: 'notes.txt' } } as const;
const prompt = user('read it');

/** An agent with an MCP server over standard input and output. */
function withServer(options = {}) {
  const scene = new Scene(options);
  const server = scene.spawn(scene.root, 'node', 'server.mjs');
  return { scene, server };
}

function answered(scene: Scene, ...tools: readonly Tool[]) {
  const said = scene.answer(scene.ask(scene.root, { messages: [prompt] }), '', tools);
  return [prompt, said, ...tools.map(([id]) => result(id))];
}

describe('calls of MCP servers', () => {
  it('are the tool call of the model that they carry out, and what the server does hangs under it', () => {
    const { scene, server } = withServer();
    const more = answered(scene, READ);
    const call = sendMcp(scene, scene.root, server, { ...SENT, session_id: 's' });
    scene.read(server, '/srv/data/notes.txt');
    scene.connect(server, '10.0.0.1');
    const child = scene.spawn(server, 'grep', 'x');
    scene.read(child, '/srv/data/other.txt');
    scene.exit(child);
    const forked = scene.fork(server);
    scene.read(forked, '/srv/data/forked.txt');
    scene.exit(forked);
    answerMcp(scene, call, { result: { content: [] } });
    scene.read(server, '/srv/data/later.txt');
    scene.answer(scene.ask(scene.root, { messages: more }), 'done');
    const all = scene.end();
    const [tool, ...none] = all.kind('execute_tool');
    assert.deepEqual(none, []);
    assert.deepEqual(all.kind('mcp'), []);
    assert.deepEqual([tool?.mcp?.session_id, tool?.mcp?.phase, tool?.result], ['s', 'end', 'done']);
    assert.equal(all.file('/srv/data/notes.txt').parent_id, tool?.id);
    assert.equal(all.network('10.0.0.1').parent_id, tool?.id);
    assert.equal(all.process(child).parent_id, tool?.id);
    assert.equal(all.file('/srv/data/other.txt').parent_id, all.process(child).id);
    assert.equal(all.process(forked).parent_id, tool?.id);
    assert.equal(all.file('/srv/data/later.txt').parent_id, all.process(server).id);
    assert.deepEqual(all.file('/srv/data/notes.txt').correlation.signals, ['lineage', 'window']);
    assert.equal(all.file('/srv/data/notes.txt').correlation.requested, true);
    assert.equal(tool?.executable?.name, 'grep');
  });

  it('fail no tool call that the model was given a result of, though no response was seen', () => {
    const error = { type: 'no_response', code: undefined, message: 'the pipe was closed' };
    for (const [given, expected] of [
      ['all 3 lines', undefined],
      [{ is_error: true }, 'no_response'],
      [undefined, 'no_response'],
    ]) {
      const { scene, server } = withServer();
      const said = scene.answer(scene.ask(scene.root, { messages: [prompt] }), '', [READ]);
      answerMcp(scene, sendMcp(scene, scene.root, server, SENT), { result: undefined, error });
      if (given !== undefined)
        scene.answer(scene.ask(scene.root, { messages: [prompt, said, result('a', given)] }), 'done');
      assert.equal(scene.end().kind('execute_tool')[0]?.error_type, expected);
    }
  });

  it('are found also when the server runs behind a wrapper, and in helpers that it has', () => {
    const scene = new Scene();
    const wrapper = scene.spawn(scene.root, 'npx', 'server');
    const server = scene.spawn(wrapper, 'node', 'server.mjs');
    const worker = scene.spawn(server, 'worker');
    answered(scene, READ);
    const call = sendMcp(scene, scene.root, server, SENT);
    scene.read(worker, '/srv/a');
    scene.read(wrapper, '/srv/b');
    answerMcp(scene, call);
    const all = scene.end();
    assert.equal(all.file('/srv/a').parent_id, all.kind('execute_tool')[0]?.id);
    assert.equal(all.file('/srv/b').parent_id, all.process(wrapper).id);
  });

  it('are matched though they are sent before the answer that asks for them has ended', () => {
    const { scene, server } = withServer();
    const asked = scene.ask(scene.root, { messages: [prompt] });
    const complete_ns = scene.step();
    const call = sendMcp(scene, scene.root, server, SENT);
    scene.read(server, '/srv/data/notes.txt');
    const child = scene.spawn(server, 'grep', 'x');
    scene.exit(child);
    scene.wait(1000);
    answerMcp(scene, call);
    scene.answer(asked, '', [READ], { complete_ns });
    const all = scene.end();
    const [tool] = all.kind('execute_tool');
    assert.deepEqual(all.kind('mcp'), []);
    assert.equal(all.file('/srv/data/notes.txt').parent_id, tool?.id);
    assert.equal(all.process(child).parent_id, tool?.id);
  });

  it('are told apart by their arguments, on one server at once', () => {
    const { scene, server } = withServer();
    answered(scene, READ, ['b', 'mcp__files__read', { path: 'users.json' }]);
    const users = sendMcp(scene, scene.root, server, { tool_name: 'read', arguments: { path: 'users.json' } });
    const notes = sendMcp(scene, scene.root, server, SENT);
    scene.read(server, '/srv/users.json');
    scene.read(server, '/srv/notes.txt');
    scene.read(server, '/srv/index.db');
    answerMcp(scene, notes);
    answerMcp(scene, users);
    const all = scene.end();
    const [a, b] = all.kind('execute_tool');
    assert.deepEqual([a?.mcp?.call_id, b?.mcp?.call_id], [notes.call_id, users.call_id]);
    assert.equal(all.file('/srv/notes.txt').parent_id, a?.id);
    assert.equal(all.file('/srv/users.json').parent_id, b?.id);
    assert.equal(all.file('/srv/index.db').parent_id, all.process(server).id);
  });

  it('have an activity of their own where no model asked for them', () => {
    const { scene, server } = withServer();
    const listed = sendMcp(scene, scene.root, server, { method: 'tools/list' });
    answerMcp(scene, listed, { result: { tools: [] } });
    answered(scene, ['a', 'shell', { command: 'make' }]);
    const call = sendMcp(scene, scene.root, server, SENT);
    scene.read(server, '/srv/data/notes.txt');
    answerMcp(scene, call, { error: { type: 'tool_error', code: undefined, message: '' } });
    const all = scene.end();
    const [list, own] = all.kind('mcp');
    assert.deepEqual(
      [list?.call.method, list?.parent_id, list?.correlation.requested],
      ['tools/list', all.agent().id, true],
    );
    assert.deepEqual([own?.call.tool_name, own?.correlation.requested], ['read', false]);
    assert.equal(own?.parent_id, all.kind('chat')[0]?.id);
    assert.equal(all.file('/srv/data/notes.txt').parent_id, own?.id);
    assert.equal(all.kind('execute_tool')[0]?.mcp, undefined);
  });

  it('are each carried out once: a second try hangs under the tool call', () => {
    const { scene, server } = withServer();
    answered(scene, READ);
    answerMcp(scene, sendMcp(scene, scene.root, server, SENT), {
      error: { type: '-32603', code: -32603, message: '' },
    });
    answerMcp(scene, sendMcp(scene, scene.root, server, SENT));
    const all = scene.end();
    const [tool] = all.kind('execute_tool');
    assert.equal(tool?.error_type, '-32603');
    assert.equal(all.kind('mcp').length, 1);
  });

  it('go on with what the server wanted to know', () => {
    const { scene, server } = withServer();
    answered(scene, READ);
    answerMcp(scene, sendMcp(scene, scene.root, server, SENT), { result: { resultType: 'input_required' } });
    const second = sendMcp(scene, scene.root, server, SENT);
    answerMcp(scene, second, { result: { resultType: 'complete' } });
    const all = scene.end();
    assert.equal(all.kind('execute_tool')[0]?.mcp?.call_id, second.call_id);
    assert.deepEqual(all.kind('mcp'), []);
  });

  it('hang under the tool call that names the resource or the prompt', () => {
    const { scene, server } = withServer();
    const uri = 'file:///srv/notes.txt';
    answered(scene, ['a', 'ReadMcpResource', { server: 'files', uri }], ['b', 'shell', { command: 'make' }]);
    answerMcp(scene, sendMcp(scene, scene.root, server, { method: 'resources/read', resource_uri: uri }));
    const all = scene.end();
    const [read] = all.kind('mcp');
    assert.equal(read?.parent_id, all.kind('execute_tool')[0]?.id);
    assert.deepEqual([read?.correlation.matched, read?.correlation.requested], [uri, true]);
  });

  it('of a server to its client hang under what it was asked', () => {
    const { scene, server } = withServer();
    answered(scene, READ);
    const call = sendMcp(scene, scene.root, server, SENT);
    const sampling = sendMcp(scene, scene.root, server, { sender: 'server', method: 'sampling/createMessage' });
    answerMcp(scene, sampling);
    answerMcp(scene, call);
    const all = scene.end();
    assert.equal(all.kind('mcp')[0]?.parent_id, all.kind('execute_tool')[0]?.id);
  });

  it('of a server that is itself a client of another one hang under what it was asked', () => {
    const { scene, server: bridge } = withServer();
    answered(scene, READ, ['b', READ[1], READ[2]]);
    const call = sendMcp(scene, scene.root, bridge, SENT);
    const onward = sendMcp(scene, bridge, undefined, { ...SENT, transport: 'tcp', dialogue_id: 'onward' });
    answerMcp(scene, onward);
    answerMcp(scene, call);
    const all = scene.end();
    assert.deepEqual(
      all.kind('mcp').map(({ parent_id, is_part }) => [parent_id, is_part]),
      [[all.kind('execute_tool')[0]?.id, true]],
    );
  });

  it('put an agent that serves them under the tool call, with its turn', () => {
    const { scene, server } = withServer();
    const more = answered(scene, READ);
    const call = sendMcp(scene, scene.root, server, SENT);
    scene.answer(scene.ask(server, { messages: [user('inner')] }), 'inner answer');
    answerMcp(scene, call);
    scene.answer(scene.ask(scene.root, { messages: more }), 'done');
    const all = scene.end();
    const inner = all.kind('invoke_agent').find(({ parent_id }) => parent_id !== undefined);
    assert.equal(inner?.parent_id, all.kind('execute_tool')[0]?.id);
  });

  it('that do not end in their turn are told as open, once', () => {
    const { scene, server } = withServer();
    answered(scene, ['a', 'shell', { command: 'make' }]);
    const call = sendMcp(scene, scene.root, server, { method: 'resources/list' });
    scene.exit(scene.root);
    scene.wait(1000);
    answerMcp(scene, call);
    const all = scene.end();
    assert.deepEqual(
      all.kind('mcp').map(({ open }) => open),
      [true],
    );
    assert.equal(scene.counters.get('correlate.mcp_calls_after_turn'), 1);
  });

  it('leave the connection to their server under the turn, and the agent its own doings', () => {
    const { scene } = withServer();
    answered(scene, ['a', 'mcp__echo', { text: 'hi' }]);
    const socket_id = scene.connect(scene.root, '127.0.0.1', 3001);
    const fields = { tool_name: 'echo', arguments: { text: 'hi' }, transport: 'tcp', socket_id } as const;
    const call = sendMcp(scene, scene.root, undefined, { ...fields, server_address: 'localhost', server_port: 3001 });
    scene.read(scene.root, '/home/ann/agent.log');
    answerMcp(scene, call);
    const all = scene.end();
    assert.equal(all.network('127.0.0.1').parent_id, all.agent().id);
    assert.equal(all.file('/home/ann/agent.log').parent_id, all.kind('chat')[0]?.id);
  });

  it('of nobody who is watched are counted', () => {
    const { scene } = withServer();
    const stranger: Actor = { key: '5:5', pid: 5 };
    sendMcp(scene, stranger, undefined, SENT);
    assert.equal(scene.counters.get('correlate.mcp_call_of_nobody'), 1);
    assert.deepEqual(scene.end().kind('mcp'), []);
  });

  it('are bounded', () => {
    const { scene, server } = withServer();
    for (let i = 0; i < 5000; i++) sendMcp(scene, scene.root, server, { method: 'resources/list' });
    assert.equal(scene.counters.get('correlate.mcp_calls_evicted'), 5000 - 4096);
    assert.equal(scene.end().kind('mcp').length, 5000);
  });
});

describe('whether a tool call is what is sent to an MCP server', () => {
  const score = (name: string, args: unknown, tool_name: string, sent: unknown) =>
    matchMcpTool({ tool: { id: 'a', name, arguments: args, complete_ns: 0n } }, {
      method: 'tools/call',
      tool_name,
      arguments: sent,
    } as McpCall);

  it('shows in its name, with what agents put before it, or make of it', () => {
    for (const name of ['read', 'mcp__fs__read', 'fs.read', 'fs/read', 'fs-read', 'FS_Read', 'mcp_fs_read'])
      assert.ok(isSameTool(name, 'read'), name);
    for (const name of ['thread', 'read_file', 'mcp__read__write', '']) assert.ok(!isSameTool(name, 'read'), name);
    assert.ok(isSameTool('mcp__s__get_user_info', 'get-user.info'));
  });

  it('is surer with the same arguments, and needs them where the name is one of many', () => {
    assert.equal(score('mcp__fs__read', { path: 'a' }, 'read', { path: 'a' }), 1);
    assert.equal(score('mcp__fs__read', {}, 'read', undefined), 1);
    assert.equal(score('mcp__fs__read', { path: 'b' }, 'read', { path: 'a' }), 0.6);
    assert.equal(score('shell', { path: 'a' }, 'read', { path: 'a' }), 0);
  });

  it('shows in the arguments of a tool that calls any other', () => {
    const sent = { path: 'a' };
    assert.equal(score('use_mcp_tool', { server: 'fs', tool: 'read', arguments: sent }, 'read', sent), 0.9);
    assert.equal(score('use_mcp_tool', { server: 'fs', tool: 'read', arguments: '{"path":"a"}' }, 'read', sent), 0.9);
    assert.equal(score('use_mcp_tool', { server: 'fs', tool: 'write', arguments: sent }, 'read', sent), 0);
  });
});
