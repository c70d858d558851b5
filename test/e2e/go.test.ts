import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildGo, hasGo, NO_GO } from '../go-program.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { descend, isChat, isProcess, isTool, outline } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const skip = hasGo ? false : NO_GO;
const folder = mkdtempSync(join(tmpdir(), 'undersight-go-'));
let agent = '';
before(() => {
  const source = readFileSync(join(agents, 'openai.go'), 'utf8');
  if (hasGo) agent = buildGo(folder, 'openai', source, '-ldflags=-s -w');
});
after(() => rmSync(folder, { recursive: true }));

for (const version of ['HTTP/1.1', 'HTTP/2']) {
  for (const stream of [false, true]) {
    const what = `a stripped Go agent over ${version}, ${stream ? 'streaming' : 'not streaming'}`;
    test(`${what}, gives its calls and what they did`, { skip }, async (t) => {
      const turns = [
        { text: 'I will read it.', calls: [{ name: 'shell', arguments: { command: 'exec cat first.txt' } }] },
        { text: 'Read: {prompt}' },
      ];
      const mock = await startMockLlm({ scenario: { turns }, http2: version === 'HTTP/2', encodings: ['gzip'] });
      const workspace = createWorkspace(t, mock);
      writeFileSync(workspace.path('first.txt'), 'one');
      const { code, stdout, stderr, spans } = await workspace.run([agent, ...(stream ? ['-stream'] : [])]);
      assert.equal(stdout, 'Read: Do what is needed.\n', stderr);
      assert.equal(code, 0);
      const chats = spans.filter(isChat);
      assert.deepEqual(
        chats.map(({ attributes }) => attributes['gen_ai.response.id']),
        mock.exchanges.map(({ response_id }) => response_id),
        outline(spans),
      );
      for (const { attributes } of chats) assert.equal(attributes['server.port'], mock.port);
      const tools = spans.filter(isTool);
      assert.deepEqual(
        tools.map(({ attributes }) => attributes['gen_ai.tool.call.id']),
        mock.exchanges[0]?.call_ids,
      );
      const commands = tools.flatMap(descend).filter(isProcess);
      assert.ok(
        commands.some(({ name }) => name === 'cat'),
        outline(spans),
      );
    });
  }

  test(`a hundred conversations of a Go agent at once over ${version} are told apart`, { skip }, async (t) => {
    const text = `${'word '.repeat(5000)}{prompt}`;
    const mock = await startMockLlm({
      scenario: { turns: [{ text }] },
      http2: version === 'HTTP/2',
      encodings: ['gzip'],
    });
    const workspace = createWorkspace(t, mock);
    const environment = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true', GOMAXPROCS: '8' };
    const { code, stderr, spans } = await workspace.run([agent, '-parallel', '100'], { environment });
    assert.equal(code, 0, stderr);
    const chats = spans.filter(isChat);
    const ids = (of: readonly { readonly id: unknown; readonly asked: string | undefined }[]) =>
      of.map(({ id, asked }) => `${id} ${asked}`).sort();
    assert.deepEqual(
      ids(chats.map(({ attributes }) => ({ id: attributes['gen_ai.response.id'], asked: questionIn(attributes) }))),
      ids(
        mock.exchanges.map(({ response_id, request_body }) => ({
          id: response_id,
          asked: /#\d+#/.exec(request_body.toString())?.[0],
        })),
      ),
    );
  });
}

/** The number of the question that a chat carries in what was asked and in what was answered. */
function questionIn(attributes: Readonly<Record<string, unknown>>): string | undefined {
  const [asked, answered] = ['input', 'output'].map(
    (direction) => /#\d+#/.exec(String(attributes[`gen_ai.${direction}.messages`]))?.[0],
  );
  return asked === answered ? asked : undefined;
}
