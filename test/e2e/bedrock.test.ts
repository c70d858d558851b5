import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startMockBedrock } from '../mock-llm/bedrock.ts';
import { descend, isChat, isProcess, isTool, outline } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const agent = (...args: readonly string[]) => ['node', join(agents, 'bedrock-node.mjs'), ...args];

for (const version of ['http1.1', 'http2'] as const) {
  const flags = version === 'http2' ? [] : ['--http1'];
  const options = { http2: version === 'http2', command: 'exec cat first.txt' };

  for (const method of ['converse', 'converse-stream']) {
    test(`an agent on the AWS SDK, ${method} over ${version}, gives the right tree`, async (t) => {
      const mock = await startMockBedrock(options);
      const workspace = createWorkspace(t, mock);
      writeFileSync(workspace.path('first.txt'), 'one');
      const result = await workspace.run(agent(mock.url, method, ...flags));
      assert.equal(result.stdout, 'All is read.\n', result.stderr);
      const chats = result.spans.filter(isChat);
      assert.equal(chats.length, 2, outline(result.spans));
      for (const { attributes } of chats) {
        assert.equal(attributes['gen_ai.provider.name'], 'aws.bedrock');
        assert.equal(attributes['gen_ai.request.model'], 'us.amazon.nova-pro-v1:0');
        assert.equal(attributes['gen_ai.request.max_tokens'], 512);
        assert.equal(attributes['gen_ai.usage.input_tokens'], 140);
        assert.equal(attributes['gen_ai.usage.cache_read.input_tokens'], 40);
        assert.equal(attributes['gen_ai.usage.output_tokens'], 20);
        assert.ok(Number(attributes['gen_ai.usage.cost']) > 0);
        assert.equal(attributes['error.type'], undefined);
        assert.deepEqual(attributes['undersight.capture.gap'], undefined);
      }
      const reasons = chats.map(({ attributes }) => attributes['gen_ai.response.finish_reasons']);
      assert.deepEqual(reasons, [['tool_use'], ['end_turn']]);
      const [tool] = chats[0]?.children.filter(isTool) ?? [];
      assert.equal(tool?.attributes['gen_ai.tool.call.id'], 'tooluse_1', outline(result.spans));
      const reader = tool && descend(tool).find((span) => isProcess(span) && span.name === 'cat');
      assert.equal(reader?.attributes['process.exit.code'], 0, outline(result.spans));
    });
  }

  test(`a model invoked with a prompt, streaming over ${version}, is a text completion`, async (t) => {
    const mock = await startMockBedrock(options);
    const result = await createWorkspace(t, mock).run(agent(mock.url, 'invoke-stream', ...flags));
    assert.equal(result.stdout, 'All is read.\n', result.stderr);
    const calls = result.spans.filter(({ name }) => name === 'text_completion meta.llama3-8b-instruct-v1:0');
    assert.equal(calls.length, 1, outline(result.spans));
    assert.equal(calls[0]?.attributes['gen_ai.usage.input_tokens'], 100);
    assert.equal(calls[0]?.attributes['gen_ai.usage.output_tokens'], 20);
    assert.deepEqual(calls[0]?.attributes['gen_ai.response.finish_reasons'], ['stop']);
  });

  test(`an exception in the middle of a stream over ${version} is an error on its chat`, async (t) => {
    const mock = await startMockBedrock({ ...options, exception: 'throttlingException' });
    const workspace = createWorkspace(t, mock);
    writeFileSync(workspace.path('first.txt'), 'one');
    const result = await workspace.run(agent(mock.url, 'converse-stream', ...flags));
    assert.notEqual(result.code, 0);
    const [, failed] = result.spans.filter(isChat);
    assert.equal(failed?.attributes['error.type'], 'throttlingException', outline(result.spans));
  });
}
