import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { McpCall } from '../../src/model/mcp-call.ts';
import * as sample from './sample-activities.ts';
import { mcpCall } from './sample-mcp-call.ts';

const spanOf = (fields: Partial<McpCall>, more: object = {}) =>
  sample.spanOf({ ...sample.mcp, call: { ...mcpCall, ...fields }, ...more });

test('a call of an MCP server is a client span with the names of the conventions', () => {
  const { name, kind, attributes, status } = spanOf({});
  assert.deepEqual([name, kind, status.code], ['resources/read', 'client', 'unset']);
  assert.deepEqual(Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.startsWith('undersight.'))), {
    'mcp.method.name': 'resources/read',
    'mcp.resource.uri': 'file:///work/notes.txt',
    'mcp.session.id': '191c4850',
    'mcp.protocol.version': '2025-06-18',
    'jsonrpc.request.id': '7',
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'server.address': 'localhost',
    'server.port': 3001,
  });
});

test('it is named after the tool or the prompt, which only a tool call that stands for itself calls an operation', () => {
  const tool = { method: 'tools/call', tool_name: 'echo', resource_uri: undefined };
  assert.equal(spanOf(tool).name, 'tools/call echo');
  assert.equal(spanOf(tool).attributes['gen_ai.operation.name'], 'execute_tool');
  assert.equal(spanOf(tool, { is_part: true }).attributes['gen_ai.operation.name'], undefined);
  assert.equal(spanOf({ method: 'prompts/get', prompt_name: 'greet' }).name, 'prompts/get greet');
});

test('what is sent and what comes back is content', () => {
  const read = spanOf({});
  assert.deepEqual(
    [read.content['undersight.mcp.params'], read.content['undersight.mcp.result']],
    ['{"uri":"file:///work/notes.txt"}', '{"contents":[]}'],
  );
  const call = spanOf({ method: 'tools/call', tool_name: 'echo', arguments: { text: 'hi' }, result: { content: [] } });
  assert.deepEqual(
    [call.content['gen_ai.tool.call.arguments'], call.content['gen_ai.tool.call.result']],
    ['{"text":"hi"}', '{"content":[]}'],
  );
  assert.ok(![read, call].some(({ attributes }) => JSON.stringify(attributes).includes('contents')));
});

test('a failure has a type, the code of JSON-RPC, and a message that is content', () => {
  const failed = spanOf({ error: { type: '-32601', code: -32601, message: 'Method not found' } });
  assert.equal(failed.status.code, 'error');
  assert.equal(failed.attributes['error.type'], '-32601');
  assert.equal(failed.attributes['rpc.response.status_code'], '-32601');
  assert.equal(failed.content['undersight.error.message'], 'Method not found');
});

test('a tool call of a model that a server carries out says so, and keeps its name and kind', () => {
  const mcp = { ...mcpCall, method: 'tools/call', transport: 'pipe', session_id: undefined } as const;
  const { name, kind, attributes } = sample.spanOf({ ...sample.tool, executable: undefined, mcp });
  assert.deepEqual([name, kind], ['execute_tool shell', 'internal']);
  assert.deepEqual(
    [attributes['mcp.method.name'], attributes['network.transport'], attributes['network.protocol.name']],
    ['tools/call', 'pipe', undefined],
  );
  assert.equal(attributes['undersight.mcp.server.name'], 'demo-server');
});
