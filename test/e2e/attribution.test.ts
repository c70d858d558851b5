import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scenario } from '../../examples/demo/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { descend, isChat, isFile, isNetwork, isProcess, isTool, outline } from './trace.ts';
import { createWorkspace, root } from './workspace.ts';

test('parallel calls of one executable keep their files and connections apart, and what nobody asked for is marked', async (t) => {
  const mock = await startMockLlm({ scenario });
  const workspace = createWorkspace(t, mock);
  for (const file of ['agent.mjs', 'check-service.mjs']) {
    copyFileSync(join(root, 'examples/demo', file), workspace.path(file));
  }
  for (const name of ['orders', 'users']) {
    writeFileSync(workspace.path(`${name}.json`), JSON.stringify({ name, url: `${mock.url}/${name}` }));
  }
  const { spans, code, stderr } = await workspace.run(['node', 'agent.mjs']);
  assert.equal(code, 0, stderr);

  const chats = spans.filter(isChat);
  assert.equal(chats.length, 2, outline(spans));
  const tools = (chats[0]?.children ?? []).filter(isTool);
  assert.equal(tools.length, 2, outline(spans));
  const files = ['orders.json', 'users.json'];
  for (const [index, own] of files.entries()) {
    const below = descend(
      tools.find((tool) => tool.attributes['gen_ai.tool.call.id'] === mock.exchanges[0]?.call_ids[index]) ?? fail(),
    );
    const read = below.filter(isFile).map((file) => file.attributes['file.path']);
    assert.ok(read.includes(workspace.path(own)), `${own} not under its call${outline(spans)}`);
    for (const other of files.filter((name) => name !== own)) assert.ok(!read.includes(workspace.path(other)));
    const connections = below.filter(isNetwork).filter((span) => span.attributes['network.peer.port'] === mock.port);
    assert.equal(connections.length, 1, outline(spans));
  }

  const unasked = spans
    .filter(isProcess)
    .filter((span) => span.attributes['undersight.correlation.requested'] === false);
  assert.deepEqual(
    unasked.map((span) => span.attributes['process.executable.name']),
    ['id'],
    outline(spans),
  );
});

function fail(): never {
  return assert.fail('a tool call has no span');
}
