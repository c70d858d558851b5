import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Scenario } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { descend, isFile, isProcess, isTool, outline, type TraceNode } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const tool = (name: string, args: Record<string, unknown>) => ({ name: `mcp__notes__${name}`, arguments: args });
const usage = { input_tokens: 10, output_tokens: 5 };
const scenario: Scenario = {
  turns: [
    { text: '', calls: [tool('read_note', { path: 'first.txt' }), tool('count_words', { path: 'second.txt' })], usage },
    { text: '', calls: [tool('summarise', {})], usage },
    { text: '', calls: [tool('fail', {})], usage },
    { text: 'Done', usage },
  ],
};
const method = ({ attributes }: TraceNode) => String(attributes['mcp.method.name']);

for (const how of ['stdio', 'http', 'sse'] as const) {
  test(`every MCP message over ${how} is in the trace once, and what the server does is under the tool call`, async (t) => {
    const mock = await startMockLlm({ scenario });
    const workspace = createWorkspace(t, mock);
    writeFileSync(workspace.path('first.txt'), 'one');
    writeFileSync(workspace.path('second.txt'), 'two words');
    const log = workspace.path('mcp.log');
    const environment = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
    const result = await workspace.run(['node', join(agents, 'mcp-agent.mjs'), how, log], { environment });
    assert.equal(result.stdout, 'Done\n', result.stderr);
    const told = outline(result.spans);
    const calls = result.spans.filter((span) => span.attributes['mcp.method.name'] !== undefined);

    const said = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [string, string, number | null]);
    // Progress is counted, not shown.
    const expected = said.filter(([, name]) => name !== 'notifications/progress');
    assert.ok(expected.length >= 11, String(expected));
    assert.deepEqual(
      calls
        .map(
          (span) =>
            `${span.attributes['undersight.mcp.sender'] ?? 'client'} ${method(span)} ${span.attributes['jsonrpc.request.id']}`,
        )
        .sort(),
      expected.map(([sender, name, id]) => `${sender} ${name} ${id ?? undefined}`).sort(),
      told,
    );
    for (const { attributes } of calls) {
      assert.equal(attributes['undersight.mcp.server.name'], 'notes');
      assert.equal(attributes['network.transport'], how === 'stdio' ? 'pipe' : 'tcp');
      assert.match(String(attributes['mcp.protocol.version']), /^\d{4}-\d\d-\d\d$/);
      assert.equal(attributes['mcp.session.id'] !== undefined, how === 'http');
      assert.notEqual(attributes['error.type'], 'no_response');
    }

    const tools = result.spans.filter(isTool).filter(({ name }) => name.startsWith('execute_tool'));
    const named = (name: string) =>
      tools.find(({ attributes }) => attributes['gen_ai.tool.name'] === `mcp__notes__${name}`) ??
      assert.fail(`${name}${told}`);
    assert.equal(tools.length, 4, told);
    assert.deepEqual(
      tools.map(method),
      tools.map(() => 'tools/call'),
      told,
    );
    const first = named('read_note').children.find(isFile);
    assert.ok(String(first?.attributes['file.path']).endsWith('/first.txt'), told);
    const wc = named('count_words').children.find(isProcess);
    assert.equal(wc?.name, 'wc', told);
    assert.ok(
      descend(wc as TraceNode).some(({ attributes }) => String(attributes['file.path']).endsWith('/second.txt')),
      told,
    );
    assert.equal(
      named('summarise').children.find((child) => method(child) === 'sampling/createMessage')?.kind,
      3,
      told,
    );
    assert.equal(named('summarise').attributes['undersight.mcp.notification.count'], 1);
    assert.equal(named('fail').attributes['error.type'], 'tool_error');

    const [unasked] = calls.filter(({ name }) => name === 'tools/call read_note');
    assert.equal(unasked?.attributes['undersight.correlation.requested'], false, told);
    assert.ok(String(unasked?.children.find(isFile)?.attributes['file.path']).endsWith('/second.txt'), told);
    assert.match(String(unasked?.attributes['gen_ai.tool.call.result']), /two words/);
    const [read] = calls.filter((span) => method(span) === 'resources/read');
    assert.equal(read?.attributes['mcp.resource.uri'], 'note://today');
    assert.match(String(read?.attributes['undersight.mcp.result']), /a note/);
    assert.ok(calls.some(({ name }) => name === 'prompts/get greet'));
  });
}
